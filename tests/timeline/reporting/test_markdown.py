from __future__ import annotations

import pytest

from timeline import notes
from timeline.reporting.markdown import clock, escaped, quoted, table


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("a*b_c", r"a\*b\_c"),
        ("two\nlines  apart", "two lines apart"),
        ("# not a heading", r"\# not a heading"),
        ("1. not a list", r"1\. not a list"),
        ("- not a list", r"\- not a list"),
        ("a | b", r"a \| b"),
        ("<script>", r"\<script\>"),
        (None, ""),
        (3, "3"),
    ],
)
def test_escaped_text_is_plain_text_again_when_rendered(text: object, written: str) -> None:
    assert escaped(text) == written
    shown = str(notes.render(escaped(text)))
    plain = " ".join(str("" if text is None else text).split())
    assert shown.replace("&lt;", "<").replace("&gt;", ">").strip() == (
        f"<p>{plain}</p>" if plain else ""
    )


def test_table_without_rows_is_nothing() -> None:
    assert table(("A",), []) == ""


def test_table_escapes_its_cells() -> None:
    assert table(("A", "B"), [("a|b", 2)]) == "| A | B |\n|---|---|\n| a\\|b | 2 |"


def test_quoted_sets_every_line_apart() -> None:
    assert quoted("one\n\ntwo\n") == "> one\n>\n> two"


def test_clock_reads_canonical_moments() -> None:
    assert clock("2026-03-01T10:00:05.250000Z") == "2026-03-01 10:00:05 UTC"
    assert clock(None) == ""
