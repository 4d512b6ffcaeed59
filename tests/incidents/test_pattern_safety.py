from __future__ import annotations

import pytest

from incidents.pattern_safety import TEXT_LIMIT, BadPattern, clipped, compile_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "connection refused",
        "pool (is )?(exhausted|empty)",
        "(timeout|timed out).*(pool|conn)",
        r"took \d+ms of \d+ms and \d+s",
        r"status=\d+ path=\S+ code",
        r"a.{0,40}b.{0,20}c",
        "(abc)*d",
        r"^\S+ failed$",
        r"(?:(?:(?:a?)?)?)?b",
        r"(?=x)x[^,]+,",
        "trailing .*",
    ],
)
def test_usual_patterns_are_taken(pattern: str) -> None:
    assert compile_pattern(pattern).pattern == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+x",
        "(a*)*b",
        "(a|a)*b",
        "(x+x+)+y",
        "(.*)(.*)x",
        ".*a.*b",
        r"(\w+\s?)*:",
        "a?" * 30 + "a" * 30,
        "(a{0,100}){0,100}b",
        "(?:(a|ab)(c|bcd)(d*))+e",
        "(?=(a+)+b)c",
        "(?:a|a)" * 20 + "c",
    ],
)
def test_patterns_that_may_take_too_long_are_refused(pattern: str) -> None:
    with pytest.raises(BadPattern, match="may take too long"):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "is no regular expression: missing )"),
        ("a" * 401, "is 401 characters long; 400 are allowed"),
        ("a*", "matches an empty text, so it would match everything"),
        ("", "matches an empty text"),
        ("a\x00b", "do not print"),
        ("(?s)a.b", "sets flags of its own"),
        (r"(a)\1", "refers back to a group"),
        (r"(a)?(?(1)b|c)", "refers back to a group"),
        ("(" * 4000, "characters long"),
        ("a{1,99999999999999999999}", "is no regular expression"),
    ],
)
def test_patterns_that_cannot_be_used_say_why(pattern: str, said: str) -> None:
    with pytest.raises(BadPattern) as caught:
        compile_pattern(pattern)

    assert said in str(caught.value)


def test_case_is_ignored() -> None:
    assert compile_pattern("No Space").search("no space left") is not None


def test_a_repeat_that_can_take_its_follower_is_not_taken_for_harmless() -> None:
    for pattern in (r"\w+A\w+A\w+b", "[a-z]+M[a-z]+M[a-z]+x", r"\S+-\S+-\S+;"):
        with pytest.raises(BadPattern, match="may take too long"):
            compile_pattern(pattern)


def test_texts_are_cut_for_patterns() -> None:
    assert len(clipped("x" * 5000)) == TEXT_LIMIT
