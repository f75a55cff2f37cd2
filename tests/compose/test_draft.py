"""What is checked where the rendered body and the rest of a mail meet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.exceptions import (
    AttachmentError,
    InternalError,
    MessageError,
    MessageTooLarge,
)
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.settings import SmtpRelaySettings

PNG = b"\x89PNG\r\n\x1a\n"
SETTINGS = SmtpRelaySettings()


def composed(body: str, *ids: str, **arguments: Any) -> Draft:
    """Compose a mail with inline images of these ids."""
    images = dict.fromkeys(ids, PNG)
    mail: Any = {"to": "a@b.org", "subject": "s", "body": body, "inline_images": images}
    return draft(mail | arguments, SETTINGS)


@pytest.mark.parametrize(
    ("body", "content_id"),
    [
        ("![graph](cid:graph)", "graph"),
        ("![g](cid:graph@1.x) and ![g](<cid:graph@1.x> 'again')", "graph@1.x"),
        ("[![g](cid:a)](https://example.org)", "a"),
        ("![g](cid:a%2Bb)", "a+b"),
        ("![g](cid:a+b)", "a+b"),
        ("![g](cid:50%25)", "50%"),
        ("![g](CID:graph)", "graph"),
    ],
)
def test_a_picture_of_the_body_is_found(body: str, content_id: str) -> None:
    """A content id stands in the body as it is, or percent-encoded as in any URL (RFC 2392)."""
    assert composed(body, content_id).inline_images[0].content_id == content_id


@pytest.mark.parametrize(
    ("body", "ids", "told"),
    [
        (
            "![g](cid:grpah)",
            ["graph"],
            r"cid:grpah, .*\(there are: graph\). Did you mean cid:graph",
        ),
        ("![g](cid:x)", [], r"cid:x, .*\(there are: none\). Pass inline_images=\{'x': ...\}"),
        ("[g](cid:x)", ["other"], r"cid:x, .*\(there are: other\)"),
    ],
)
def test_a_picture_that_is_not_there_is_refused(body: str, ids: list[str], told: str) -> None:
    """The error names the id in the body, those that there are, and the fix."""
    with pytest.raises(AttachmentError, match=f"^inline_images: the body shows {told}"):
        composed(body, *ids)


def test_a_picture_that_nothing_shows_is_refused() -> None:
    """Some programs would hide it, others list it; HTML of the caller's own may show it anyhow."""
    with pytest.raises(AttachmentError, match=r"shows 'b' nowhere. Write !\[...\]\(cid:b\) into"):
        composed("![a](cid:a)", "a", "b")
    composed("", "b", html="<!--[if mso]><v:fill src='cid:b'/><![endif]-->")


@pytest.mark.parametrize(
    "html",
    [
        "<img src='cid:x'>",
        "<td background=cid:x>",
        '<a href=" CID:x ">',
        "<p style='background: url(cid:x)'>",
        '<p style="background: URL( &quot;cid:x&quot; )">',
        "<img src='cid:&#120;'/>",
    ],
)
def test_html_of_the_callers_own_is_read_too(html: str) -> None:
    """However the reference is written, it must lead somewhere."""
    composed("", "x", html=html)
    with pytest.raises(AttachmentError, match="the body shows cid:x, and there is no such image"):
        composed("", "y", html=html)


@pytest.mark.parametrize("body", ["`![g](cid:x)`", "src=cid:x url(cid:x)", '<img src="cid:x">'])
def test_text_about_a_picture_is_no_picture(body: str) -> None:
    """Code and raw HTML in Markdown are shown, and refer to nothing."""
    composed(body)


def test_an_attachment_with_a_content_id_may_be_linked() -> None:
    """An id is known wherever its file stands."""
    attached = composed("![g](cid:x)", "x").inline_images
    assert composed("[g](cid:x)", attachments=attached).attachments == attached


def test_the_setting_bounds_the_files() -> None:
    """More than the setting permits is refused, naming it."""
    settings = SETTINGS.model_copy(update={"max_attachment_megabytes": 1})
    with pytest.raises(MessageTooLarge, match="SMTP_RELAY_MAX_ATTACHMENT_MEGABYTES; relays have"):
        draft(
            {
                "to": "a@b.org",
                "subject": "s",
                "body": "b",
                "attachments": [("a", b"x" * 1_100_000)],
            },
            settings,
        )


@given(st.text(), st.text(st.sampled_from("cid:x<>\"'=()! []-&;#imgsrc")))
def test_any_html_is_read(body: str, html: str) -> None:
    """Whatever the caller's HTML looks like, there is a draft or an error of ours."""
    try:
        composed(body, html=html)
    except MessageError:
        return


def test_what_nobody_foresaw_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but an EmailError leaves the drafting, whatever goes wrong in it."""
    monkeypatch.setattr("prefect_smtp_relay.compose.draft.compose", {}.__getitem__)
    with pytest.raises(InternalError, match="unexpected TypeError"):
        draft({"to": "ann@example.org", "subject": "S", "body": "B"}, SmtpRelaySettings())


@pytest.mark.parametrize(
    "body", ["{{ what }}", "{% for each in rows %}{{ each }}{% endfor %}", " {{ what }}\n"]
)
def test_a_body_that_is_empty_once_filled_is_refused(body: str) -> None:
    """Nobody gets a mail of nothing but a footer."""
    with pytest.raises(MessageError, match=r"^body: is empty"):
        composed(body, context={"what": "", "rows": []})


def test_a_body_that_is_only_a_picture_is_not_empty() -> None:
    """What shows is what counts."""
    assert composed("![](cid:{{ which }})", "graph", context={"which": "graph"}).html
