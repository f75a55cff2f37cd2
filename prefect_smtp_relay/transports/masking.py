"""Masks what looks like a secret, by its name or its form, in a text that somebody else wrote."""

from __future__ import annotations

import re

MASK = "********"

_SECRET_PARTS = re.compile(
    r"passw|passphrase|passcode|pwd|secret|token|credential|apikey|accesskey|authoriz|signature"
    r"|connectionstring|connstr|sessionid"
)
_SECRET_WORDS = frozenset(
    {"pass", "pw", "key", "keys", "auth", "cookie", "dsn", "pin"}
    | {"jwt", "bearer", "creds", "cred", "otp", "totp", "sig"}
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

_FORMS = re.compile(
    r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*"  # a JSON web token
    r"|\b(?:gh[opsur]_|github_pat_|glpat-|xox[a-z]-|sk-|[rs]k_live_|pn[bu]_|AIza"
    r"|hf_|npm_|pypi-|dop_v1_|ya29\.)[\w-]{16,}"
    r"|\bA[KS]IA[A-Z0-9]{16}\b"
    r"|\bSG\.[\w-]{16,}\.[\w-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_HAS_PORT = r"(?!https?://(?:\[[^\]\s]{,60}\]|[^\s:/@]{,250})(?::\d{1,5})?[/?#])"
_URL_PASSWORD = re.compile(
    rf"""\b{_HAS_PORT}([A-Za-z][\w+.-]{{,20}}://[^\s:/@"<>]{{,250}}:)[^\s"<>]{{1,500}}(?=@[\w.\[/-])"""
    r"|\b(jdbc:oracle:\w{1,20}:[^\s/@]{1,250}/)\S{1,250}(?=@)"
)
_URL_TOKEN = re.compile(r"(\b[A-Za-z][\w+.-]{,20}://)[\w.~%+-]{20,250}(?=@)")
_URL_PATH = re.compile(
    r"(\bhooks\.slack\.com/(?:services|workflows|triggers)/|\bdiscord(?:app)?\.com/api/webhooks/\d+/"
    r"|/bot\d{5,20}:)[^\s\"'<>?#]+"
)
_LOGIN_OPTION = re.compile(r"""((?<!\S)(?:-u|--user)[ =]["']?[^\s:"']{1,250}:)[^\s"']+""")
_ELEMENT = re.compile(r"(<([A-Za-z_][\w.:-]{,80})(?:\s[^<>]{,200})?>)([^<]{1,500})(?=</)")
_SCHEME = re.compile(r"(?i)(\b(?:bearer|basic|negotiate|digest)\s+)([\w.~+/=-]{8,})")
_PLAIN_WORD = re.compile(r"[A-Z]?[a-z]+[.,;:!?]*")

_NAME = re.compile(
    r"""(?<!\w)(?P<dashes>--?)?(?P<name>[A-Za-z_][\w.-]{0,80})
    (?: (?P<sign>(?:\\*["'])?\]?\s{0,3}(?:=>|:=|[:=]|%3[dD])\s{0,3})  # name=value, "name": "value"
      | ["']\s?,\s?(?=b?["'])  # ("name", "value")
      | (?(dashes)\s+(?!-)|(?!))  # --name value
    )""",
    re.VERBOSE,
)
_VALUE = re.compile(
    r"""b?(?P<quote>\\*["'])(?:.*?(?<!\\)(?P=quote)|.*)|\{[^}]*\}|\[[^\]]*\]|[^\s;&]+"""
)
_LINE = re.compile(r"""(?!b?\\*["'])[^"'\r\n]+""")
_NOTHING = frozenset({"None", "null", "True", "False", "true", "false", "''", '""'})
_CLASS_NAME = re.compile(r"(?:Error|Exception|Warning|Failure|NotFound)$")


def mask(text: str, *, reasons: bool = False) -> str:
    """Put asterisks in place of what looks like a secret in a text, such as a run's message.

    Masked are passwords in URLs and connection strings, the values of fields, parameters, options
    and headers whose names are those of secrets, and access tokens and private keys of the common
    forms. What nothing marks as a secret, such as a password alone in a sentence, is shown.

    Args:
        text: what somebody else wrote.
        reasons: show words after a colon, as in a server's "token: expired".
    """
    text = _FORMS.sub(MASK, text)
    text = _URL_PASSWORD.sub(lambda found: f"{found[1] or found[2]}{MASK}", text)
    text = _URL_TOKEN.sub(rf"\1{MASK}", text)
    text = _URL_PATH.sub(rf"\1{MASK}", text)
    text = _LOGIN_OPTION.sub(rf"\1{MASK}", text)
    text = _ELEMENT.sub(_mask_element, text)
    text = _SCHEME.sub(_mask_credentials, text)
    return _mask_values(text, reasons=reasons)


def looks_secret(name: str) -> bool:
    """Whether a name is one that people give to secrets: ``db_password``, ``apiKey``, ``TOKEN``."""
    words = {word.lower() for word in _WORD.findall(name)}
    joined = re.sub(r"[^a-z]", "", name.lower())
    return bool(words & _SECRET_WORDS) or bool(_SECRET_PARTS.search(joined))


def _mask_element(found: re.Match[str]) -> str:
    """``<password>...</password>``."""
    return f"{found[1]}{MASK}" if looks_secret(found[2]) else found[0]


def _mask_credentials(found: re.Match[str]) -> str:
    """``Bearer dXNlcg==``, but not "basic authentication"."""
    return found[0] if _PLAIN_WORD.fullmatch(found[2]) else f"{found[1]}{MASK}"


def _mask_values(text: str, *, reasons: bool) -> str:
    parts, end = [], 0
    for found in _NAME.finditer(text):
        if found.start() < end or not _names_secret(found):
            continue
        value = _value_of(found, text)
        if value and value[0] not in _NOTHING and not (reasons and _is_reason(found, value)):
            parts += [text[end : value.start()], _quoted(value)]
            end = value.end()
    return "".join([*parts, text[end:]])


def _names_secret(found: re.Match[str]) -> bool:
    """``token=...``, but not "KeyError: ..." or "the key: ..."."""
    name, sign = found["name"], found["sign"] or ""
    is_prose = sign.lstrip().startswith(":") and (
        _CLASS_NAME.search(name) or name.lower() in {"key", "keys"}
    )
    return not is_prose and looks_secret(name)


def _is_reason(found: re.Match[str], value: re.Match[str]) -> bool:
    """``token: expired``, but not ``token: dXNlcg``."""
    is_told = (found["sign"] or "").lstrip().startswith(":")
    return is_told and bool(_PLAIN_WORD.fullmatch(value[0].partition(" ")[0]))


def _value_of(found: re.Match[str], text: str) -> re.Match[str] | None:
    """The value: of a header without quotes, the rest of the line."""
    is_header = found["name"].lower().endswith(("authorization", "cookie"))
    return (is_header and _LINE.match(text, found.end())) or _VALUE.match(text, found.end())


def _quoted(value: re.Match[str]) -> str:
    quote = value.groupdict().get("quote") or ""
    return f"{quote}{MASK}{quote}"
