"""What tests of flows that send mail need: a transport in memory, and a real mail server.

``pytest_plugins = ["prefect_smtp_relay.testing.fixtures"]`` brings both as fixtures. The mail
server needs the extra ``prefect-smtp-relay[testing]``.
"""
