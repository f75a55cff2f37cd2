"""One connection to a server: replies, EHLO, commands, QUIT (RFC 5321, section 3)."""
