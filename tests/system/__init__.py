"""Tests against the programs that relays run; they belong to `make test-system`."""
