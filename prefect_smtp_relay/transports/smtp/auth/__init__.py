"""Authentication: mechanisms, their passwords and access tokens (RFC 4954)."""
