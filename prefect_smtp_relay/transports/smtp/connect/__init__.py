"""From a configuration to a session: addresses, TLS, login, and the sessions that are kept."""
