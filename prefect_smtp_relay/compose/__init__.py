"""What the caller wrote becomes a checked draft."""
