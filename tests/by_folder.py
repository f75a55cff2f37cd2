"""Which of two processes runs a test: that which ran the others of its folder."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling


class ByFolder(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Gives whole folders to processes."""

    def _split_scope(self, nodeid: str) -> str:
        """The folder of a test."""
        return nodeid.partition("::")[0].rpartition("/")[0]
