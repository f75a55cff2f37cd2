import re

import pytest

from prefect_smtp_relay.rendering.markdown import MAX_NESTING, parse, to_html


def html(body: str) -> str:
    """Render Markdown as a fragment."""
    return to_html(parse(body)).strip()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("# One", "<h1>One</h1>"),
        ("One\n---", "<h2>One</h2>"),
        ("a\nb", "<p>a\nb</p>"),
        ("a  \nb", "<p>a<br />\nb</p>"),
        (
            "*a* **b** `c<d` ~~e~~",
            "<p><em>a</em> <strong>b</strong> <code>c&lt;d</code> <s>e</s></p>",
        ),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>"),
        ("```python\nx = 1\n```", '<pre><code class="language-python">x = 1\n</code></pre>'),
        ("    x", "<pre><code>x\n</code></pre>"),
        ("---", "<hr />"),
        ("&amp; &uuml; &#252;", "<p>&amp; \u00fc \u00fc</p>"),
        ("[a](https://x.org 't')", '<p><a href="https://x.org" title="t">a</a></p>'),
        ("![a](cid:logo)", '<p><img src="cid:logo" alt="a" /></p>'),
    ],
)
def test_constructs_become_html(body: str, expected: str) -> None:
    """Every construct of CommonMark, and strikethrough, becomes its element."""
    assert html(body) == expected


def test_tables_keep_their_alignment() -> None:
    """A table becomes head and body, each cell aligned as its column."""
    table = html("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert '<th style="text-align:center" width="50%" scope="col">a</th>' in table
    assert '<td style="text-align:right">2</td>' in table


def test_a_table_with_a_blank_heading_is_one_of_labels() -> None:
    """The heading is left out, and the first cell of each row is the heading of that row."""
    table = html("| | |\n|-|-|\n| a | b |\n| c | |\n\n| d |\n|-|\n| e |")
    assert re.findall(r"<t[hd][^>]*>.*?</t[hd]>", table) == [
        '<th scope="row" width="32">a</th>',
        "<td>b</td>",
        '<th scope="row">c</th>',
        "<td></td>",
        '<th width="100%" scope="col">d</th>',
        "<td>e</td>",
    ]
    assert table.count("<thead>") == 1


@pytest.mark.parametrize(
    "body",
    [
        *("<b>x</b>", "<script>alert(1)</script>", "a <img src=x onerror=alert(1)>", "<!-- x -->"),
        *("<div>\n\n*x*\n\n</div>", "<style>p{}</style>", "<?php ?>", "<![CDATA[x]]>", "</div>"),
        *("```<script>\n</code></pre><script>\n```", "`<script>`", "    <script>"),
        *("![<script>](cid:x)", "[<script>](cid:x)", '[a](cid:x "\\"><script>")', "&lt;script&gt;"),
        *(
            "|<script>|\n|-|\n|<script>|",
            "# <script>",
            '```"><script>\n```',
            '[a](<cid:"><script>>)',
        ),
    ],
)
def test_raw_html_is_shown(body: str) -> None:
    """HTML in the body is text: no tag and no attribute of it reaches the reader's program."""
    rendered = html(body).lower().replace('<div class="scroll">', "").replace("</table></div>", "")
    for tag in ("<script", "<b>", "<style", "<div", "</div", "<!--", "<?", "<![", "src=x"):
        assert tag not in rendered.replace("&lt;img src=x", "")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///x",
        ),
        *("data:image/png;base64,AAAA", "javascript&colon;alert(1)", "java&#115;cript:alert(1)"),
        *("&#106;avascript:x", "blob:x", "intent:x", "ms-msdt:x", "javascript\\:alert(1)"),
    ],
)
def test_dangerous_links_are_shown_as_typed(url: str) -> None:
    """A link or image with a scheme that programs execute is no link, and nothing is lost."""
    for body in (f"[a]({url})", f"![a]({url})", f"[a](<{url}>)", f"<{url}>", f"[a]\n\n[a]: {url}"):
        rendered = html(body)
        assert "<a" not in rendered, body
        assert "<img" not in rendered, body


@pytest.mark.parametrize("blank", ["\t", "&Tab;", "&NewLine;", "\x01", "\u200b"])
def test_blanks_do_not_hide_a_scheme(blank: str) -> None:
    """What a reader's program would skip makes no harmless scheme of a dangerous one."""
    for url in (f"{blank}javascript:x", f"java{blank}script:x", f"javascript{blank}:x"):
        assert "<a" not in html(f"[a](<{url}>)"), url


@pytest.mark.parametrize(
    "url",
    [
        *("https://x.org/a?b=c:d", "http://x.org", "mailto:a@x.org", "tel:+49123", "cid:a@b"),
        "HTTPS://x.org",
    ],
)
def test_harmless_links_are_links(url: str) -> None:
    """Web addresses, mail, telephone and inline images work."""
    assert f'<a href="{url}">a</a>' in html(f"[a]({url})")


@pytest.mark.parametrize(
    "url", ["example.org", "www.example.org/a?b=c", "/path:with:colons", "#a", "//x.org", "https:"]
)
@pytest.mark.parametrize("mark", ["", "!"])
def test_a_link_without_a_scheme_is_text(mark: str, url: str) -> None:
    """A mail has no address that it could be relative to: it is shown as typed."""
    assert html(f"{mark}[a]({url})") == f"<p>{mark}[a]({url})</p>"
    assert "<a" not in html(url)


@pytest.mark.parametrize(
    ("body", "links"),
    [
        ("Run: https://x.example/runs/1 now", ["https://x.example/runs/1"]),
        ("http://x.example", ["http://x.example"]),
        ("HTTPS://x.example/A_b_c~d", ["HTTPS://x.example/A_b_c~d"]),
        ("See https://x.example/a. Or (https://x.example/b(c)), https://x.example/?d=e!",
         ["https://x.example/a", "https://x.example/b(c)", "https://x.example/?d=e"]),
        ("**https://x.example/a**, *https://x.example/b*",
         ["https://x.example/a", "https://x.example/b"]),
        ("| https://x.example/a |\n|-|\n| https://x.example/b |",
         ["https://x.example/a", "https://x.example/b"]),
        ("- https://x.example/a\n\n> https://x.example/b\n\n# https://x.example/c",
         ["https://x.example/a", "https://x.example/b", "https://x.example/c"]),
        ("https://b\u00fccher.example/\u00fc", ["https://xn--bcher-kva.example/%C3%BC"]),
        ("https://[2001:db8::1]:8080/a", ["https://[2001:db8::1]:8080/a"]),
        ("\u201chttps://x.example/a\u201d\u3002", ["https://x.example/a"]),
        ("`https://x.example` xhttps://x.example ftp://x.example https:// https://.", []),
        ("    https://x.example", []),
        ("```\nhttps://x.example\n```", []),
        ("[a https://y.example b](https://x.example)", ["https://x.example"]),
        ("![https://y.example](cid:x)", []),
        ("<https://x.example>", ["https://x.example"]),
    ],
)  # fmt: skip
def test_bare_urls_are_links(body: str, links: list[str]) -> None:
    """An http(s) URL in the text is a link, without the sentence's punctuation; not in code."""
    assert re.findall('href="([^"]*)"', html(body)) == links


def test_an_autolink_is_a_link() -> None:
    """An address in angle brackets is a link that shows itself."""
    assert html("<a@x.org>") == '<p><a href="mailto:a@x.org">a@x.org</a></p>'
    assert html("<https://x.org>") == '<p><a href="https://x.org">https://x.org</a></p>'


@pytest.mark.parametrize("marker", [">", "- ", "1. ", "> - "])
@pytest.mark.parametrize("depth", range(MAX_NESTING // 2 - 2, MAX_NESTING + 3))
def test_deep_nesting_loses_nothing(marker: str, depth: int) -> None:
    """What is nested too deep to be read is shown as it was typed."""
    assert "needle" in html(marker * depth + "needle")


def test_control_characters_are_left_out() -> None:
    """Control characters, typed or as an entity, do not reach the reader."""
    assert html("a\x07\x1b[31m\x7f\x85 b&#12;c&#13;") == "<p>a[31m bc</p>"
