from __future__ import annotations

from html.parser import HTMLParser

import pytest

from incidents.prose import SCHEMES, TAGS
from timeline.notes import render


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**pool** is `full`", "<p><strong>pool</strong> is <code>full</code></p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("![x](https://spy.example/x.png)", "<p></p>\n"),
        (
            "[runbook](https://wiki.example/pool)",
            '<p><a href="https://wiki.example/pool" rel="nofollow noopener noreferrer">'
            "runbook</a></p>\n",
        ),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
    ],
)
def test_render_keeps_marks_and_drops_what_could_harm(text: str, html: str) -> None:
    assert render(text) == html


HARMFUL = [
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    '<a href="javascript:alert(1)">x</a>',
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<style>@import 'https://spy.example/x.css'</style>",
    "<details open ontoggle=alert(1)>",
    "<!--<img src=x onerror=alert(1)>-->",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<form action=https://spy.example><button>x</button></form>",
    '<meta http-equiv="refresh" content="0;url=https://spy.example">',
    "<base href=https://spy.example/>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x](https://a.example "\\" onmouseover=alert(1) \\"")',
    "![x](javascript:alert(1))",
    "![x](https://spy.example/x.png)",
    "<javascript:alert(1)>",
    "<https://a.example/' onclick=alert(1)>",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    "# <img src=x onerror=alert(1)>",
    "|<script>alert(1)</script>|\n|---|\n|<img src=x onerror=alert(1)>|",
    "~~<iframe>~~",
    "\u202e<script>alert(1)</script>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<body onload=alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<x style=background:url(javascript:alert(1))>",
]


class Markup(HTMLParser):
    """Which tags, attributes and addresses a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.schemes: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "href":
                self.schemes.add((value or "").strip().partition(":")[0].lower())


@pytest.mark.parametrize("text", HARMFUL)
def test_render_lets_nothing_run_and_asks_nobody(text: str) -> None:
    seen = Markup(render(text))

    assert seen.tags <= TAGS
    assert seen.attributes <= {"href", "title", "rel", "start"}
    assert seen.schemes <= SCHEMES
