"""The block's fields as texts name them: by their title in the form, and by their name."""

from __future__ import annotations

ADDRESS = "*Address* (`address`)"
ALLOW_CLEARTEXT_AUTH = "*Advanced: Allow password in clear text* (`allow_cleartext_auth`)"
AUTHENTICATION = "*Authentication* (`authentication`)"
CA_CERTIFICATE = "*Advanced: CA certificate* (`ca_certificate`)"
DOMAIN = "*Advanced: HELO domain* (`domain`)"
ENABLE_STARTTLS = "*Force STARTTLS* (`enable_starttls`)"
ENABLE_STARTTLS_AUTO = "*STARTTLS if offered* (`enable_starttls_auto`)"
FROM_ADDRESS = "*From address* (`from_address`)"
OAUTH_SCOPE = "*Advanced: OAuth scope* (`oauth_scope`)"
OAUTH_TOKEN_URL = "*Advanced: OAuth token URL* (`oauth_token_url`)"  # noqa: S105  # a field's name
PASSWORD = "*Password* (`password`)"  # noqa: S105  # a field's name
PORT = "*Port* (`port`)"
SSL = "*SSL* (`ssl`)"
SSL_VERIFY_MODE = "*Verify certificate* (`ssl_verify_mode`)"
TIMEOUT_SECONDS = "*Advanced: Timeout in seconds* (`timeout_seconds`)"
USERNAME = "*Username* (`username`)"

CLIENT_CERTIFICATE = "*Advanced: Client certificate* (`client_certificate`)"
CLIENT_KEY = "*Advanced: Client key* (`client_key`)"
TLS_SERVER_NAME = "*Advanced: TLS server name* (`tls_server_name`)"

CREDENTIALS = f"{USERNAME} and {PASSWORD}"
