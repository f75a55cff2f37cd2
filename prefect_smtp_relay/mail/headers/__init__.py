"""Header fields: what may be set, and how it is written."""
