"""Register the block types, so that Prefect's UI offers them."""

from __future__ import annotations

from prefect_smtp_relay import SMTP, SendAnEmail, SendGrid


def main() -> None:
    """Register the types, and say so; registering twice changes nothing."""
    for block in (SMTP, SendGrid, SendAnEmail):
        block.register_type_and_schema()
        print(f"Registered the block type {block.get_block_type_name()}.")


if __name__ == "__main__":
    main()
