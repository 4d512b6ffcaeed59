from __future__ import annotations

import pytest

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
