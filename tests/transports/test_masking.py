"""What looks like a secret is masked, in whatever text it comes."""

from __future__ import annotations

import pytest

from prefect_smtp_relay.transports.masking import MASK, looks_secret, mask

CANARY = "s3cr/et@X1"
TOKEN = "canary71f0c2"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://ann:{CANARY}@db.example.org/shop",
        f"redis://:{CANARY}@cache:6379/0 is down",
        f"mongodb+srv://ann:{CANARY}@h1,h2/x?retryWrites=true",
        f"https://ann:12345{TOKEN}@h.example.org/",
        f"https://{TOKEN}{TOKEN}@github.com/org/repo",
        f"jdbc:oracle:thin:scott/{CANARY}@//h:1521/x",
        f"Server=h;Database=d;User Id=sa;Password={CANARY};Encrypt=yes",
        f"Driver={{x}};PWD={{{CANARY};}};",
        f"AccountName=n;AccountKey={CANARY}==;EndpointSuffix=core.windows.net",
        f"Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey={CANARY}=",
        f"host=db user=ann password={CANARY} dbname=shop",
        f"DB_PASSWORD={CANARY}",
        f"PGPASSWORD={CANARY} psql",
    ],
)
def test_passwords_of_connections(text: str) -> None:
    """URLs and connection strings are shown without their passwords, whatever these contain."""
    assert CANARY not in mask(text)
    assert TOKEN not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://api.example.org/x?token={CANARY}&page=1",
        f"https://h/x?page=1&access_token={TOKEN}#top",
        f"https://h/x?sig={TOKEN}&se=2026",
        f"https://s3/x?X-Amz-Security-Token={TOKEN}&X-Amz-Signature={TOKEN}",
        f"Authorization: Basic {CANARY}",
        f"authorization: token {CANARY}",
        f"curl -H 'Authorization: Bearer {TOKEN}' https://h",
        f"{{'Authorization': 'Basic {CANARY}', 'Accept': '*/*'}}",
        f"[(b'authorization', b'Bearer {CANARY}'), (b'x-api-key', b'{TOKEN}')]",
        f'headers=[("X-Auth-Token", "{CANARY}")]',
        f"Set-Cookie: sid={CANARY}; Path=/",
        f"X-Api-Key: {TOKEN}",
        f"sent Bearer {TOKEN}",
    ],
)
def test_tokens_of_requests(text: str) -> None:
    """Query parameters and headers that carry credentials are masked, in any spelling of pairs."""
    assert CANARY not in mask(text)
    assert TOKEN not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        f"password={CANARY}",
        f"login(user='ann', password='{CANARY} and more')",
        f"{{'db': {{'password': '{CANARY}'}}}}",
        f'{{"password":"{CANARY}","user":"ann"}}',
        f'"{{\\"api_key\\": \\"{CANARY}\\"}}"',
        f"<user>ann</user><ns:dbPassword type='x'>{CANARY}</ns:dbPassword>",
        f"environ['DB_PASSWORD'] = '{CANARY}'",
        f"passwords=['{CANARY}', 'b{CANARY}']",
        f"next=password%3D{TOKEN}",
        f"curl -u ann:{CANARY} https://h",
        f"sessionid={CANARY}",
        f"hf_{TOKEN}{TOKEN} npm_{TOKEN}{TOKEN} ya29.{TOKEN}{TOKEN}",
        f"https://hooks.slack.com/services/T0/B0/{TOKEN}",
        f"https://api.telegram.org/bot123456:{TOKEN}/sendMessage",
        f"jwt={TOKEN}",
        f"otp: {TOKEN}",
        f"creds={CANARY}",
        f"bearer: {TOKEN}",
        f"client_secret => {CANARY}",
        f"mysql --password {CANARY} -v",
        f"app --api-key={CANARY}",
        f"app --token '{CANARY} x'",
        "eyJhbGciOiJIUzI1NiJ9.canary71f0c2.s3cr/et@X1"[:32],
        f"-----BEGIN RSA PRIVATE KEY-----\n{TOKEN}\n-----END RSA PRIVATE KEY-----",
        f"ghp_{TOKEN}{TOKEN}",
        f"SG.{TOKEN}{TOKEN}.{TOKEN}",
        f"url=postgres?password={CANARY}",
        f"password='{CANARY} cut off in the mid",
    ],
)
def test_values_that_are_called_like_secrets(text: str) -> None:
    """By the name before a value, or by the form of a key: nothing of it is shown."""
    assert CANARY not in mask(text)
    assert TOKEN not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'customer'",
        "ValueError: no such page: 7",
        "basic authentication failed; bearer authorization is missing",
        "token=None password=''",
        "https://h:8080/p?mail=ann@example.org",
        "http://localhost:4200/users/ann@example.org",
        "http://[::1]:4200/users/ann@example.org",
        "git clone ssh://git@github.com/org/repo",
        "https://host/path:x@y",
        "the keyboard: qwerty, the author=ann, the passenger=bob",
        "12:30:07 ann@example.org",
        "Loader.__init__() x[0](y)",
    ],
)
def test_what_is_not_a_secret_is_shown(text: str) -> None:
    """Errors, addresses and plain words stay as they are."""
    assert mask(text) == text


def test_the_rest_of_a_text_is_shown() -> None:
    """Only the secret is replaced, and masking again changes nothing."""
    text = f"postgres://ann:{CANARY}@db/x refused password='{CANARY}', retry=3"
    masked = f"postgres://ann:{MASK}@db/x refused password='{MASK}', retry=3"
    assert mask(text) == masked == mask(masked)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a:",
        "a.",
        "key=",
        "http://a:",
        "http://",
        "--token ",
        "bearer ",
        "'x', ",
        "\\",
        "eyJ",
        "<key>",
        "-u a:",
    ],
)
def test_the_search_does_not_explode(piece: str) -> None:
    """A text of 200 kB takes no more than its length."""
    assert mask(piece * (200_000 // len(piece)))


@pytest.mark.parametrize(
    "name",
    [
        *("password", "db_password", "DBPASSWORD", "passwd", "pwd", "pass", "passphrase"),
        *("token", "accessToken", "API_TOKEN", "secret", "client-secret", "key", "api_key"),
        *("apiKey", "APIKey", "privateKey", "credentials", "auth", "Authorization", "cookie"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    """What people call their secrets is recognised, however it is spelt."""
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name", ["passenger", "monkey", "keyboard", "author", "name", "path", "compass", "incident"]
)
def test_names_of_no_secrets(name: str) -> None:
    """Words that only hold one of those words are shown."""
    assert not looks_secret(name)
