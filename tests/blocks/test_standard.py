"""Prefect's own standard suite on each block."""

from __future__ import annotations

import os

import pytest
from prefect.blocks.core import Block
from prefect.testing.standard_test_suites.blocks import BlockStandardTestSuite

from prefect_smtp_relay import SMTP, SendAnEmail, SendGrid


@pytest.mark.parametrize("block", [SMTP, SendGrid, SendAnEmail])
class TestBlocks(BlockStandardTestSuite):
    """Description, documentation, field texts and code example of each block."""

    @pytest.fixture
    def block(self, request: pytest.FixtureRequest) -> type[Block]:
        """Give the block type under test."""
        block: type[Block] = request.param
        return block

    @pytest.mark.skipif(
        "TEST_ONLINE" not in os.environ,
        reason="it fetches the logo; run it with TEST_ONLINE=1, a network and Pillow",
    )
    def test_has_a_valid_image(self, block: type[Block]) -> None:
        """A logo is a square picture."""
        super().test_has_a_valid_image(block)
