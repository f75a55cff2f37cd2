"""Flow runs that failed: a mail about one, and a digest of the last day."""
