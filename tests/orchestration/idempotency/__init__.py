"""One mail for one key."""
