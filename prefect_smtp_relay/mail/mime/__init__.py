"""A message as MIME text, and read back from it."""
