"""Messages over a session: the commands of a transaction, and what became of each recipient."""
