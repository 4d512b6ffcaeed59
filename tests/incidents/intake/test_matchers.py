"""Label matchers: Prometheus' meaning, and no pattern that could be slow."""

from __future__ import annotations

from typing import Any

import pytest

from incidents.intake.matchers import BadMatcher, Matcher, all_fit, parse_matcher, parse_matchers

LABELS = {"alertname": "Watchdog", "team": "Core", "cluster": "eu-1"}


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("alertname=Watchdog", Matcher("alertname", "=", "Watchdog")),
        (' alertname = "Watch dog" ', Matcher("alertname", "=", "Watch dog")),
        ('team!="a,b"', Matcher("team", "!=", "a,b")),
        (r'path=~"/api/\\d+"', Matcher("path", "=~", r"/api/\d+")),
        ("cluster!~eu-.*", Matcher("cluster", "!~", "eu-.*")),
        ("team=", Matcher("team", "=", "")),
        ("a=b=c", Matcher("a", "=", "b=c")),
    ],
)
def test_matcher_is_read_as_alertmanager_reads_it(text: str, matcher: Matcher) -> None:
    assert parse_matcher(text) == matcher
    assert parse_matcher(str(matcher)) == matcher


@pytest.mark.parametrize(
    "text",
    ["", "alertname", "=x", '{a="b"}', 'a="b', 'a="b"c', 'a=b"c', "a=~(", "a=~(x+)+y", "a=\x00"],
)
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(BadMatcher):
        parse_matcher(text)


@pytest.mark.parametrize("given", ["a=b", {"a": "b"}, [1], ["a=b"] * 21])
def test_matchers_are_a_list_of_texts(given: Any) -> None:
    with pytest.raises(BadMatcher):
        parse_matchers(given)


@pytest.mark.parametrize(
    ("texts", "fits"),
    [
        ([], True),
        (["alertname=Watchdog"], True),
        (["alertname=Watchdog", "team=Web"], False),
        (["team=core"], False),
        (["team=~core"], False),
        (["cluster=~eu"], False),
        (["cluster=~eu.*"], True),
        (["cluster!~eu.*"], False),
        (["missing="], True),
        (["missing!=x"], True),
        (["missing=~.+"], False),
        (["missing=~.*"], True),
        (["cluster=~us-1|eu-1"], True),
    ],
)
def test_all_fit_has_prometheus_meaning(texts: list[str], fits: bool) -> None:
    assert all_fit(texts, LABELS) == fits


def test_regular_expression_on_a_very_long_value_is_quick_enough_to_end() -> None:
    assert not all_fit(["cluster=~.*a.*b"], {"cluster": "a" * 100_000})
