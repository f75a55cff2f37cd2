"""What tests of flows that send mail need: a transport in memory, and a real mail server.

``pytest_plugins = ["prefect_smtp_relay.testing.fixtures"]`` in the top ``conftest.py`` brings
three fixtures:

- ``in_memory_transport``: accepts every message and keeps it in ``deliveries``; give it
  ``refused`` or ``failure`` to see how a flow takes that.
- ``mail_server``: a real server on loopback with STARTTLS and the account
  ``fixtures.USERNAME`` / ``fixtures.PASSWORD``; what it accepts is in ``mails``.
- ``certificates``: the CA behind that server; its ``ca_pem`` goes into ``ca_certificate``.

The last two need the extra ``prefect-smtp-relay[testing]``.
"""
