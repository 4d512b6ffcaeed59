from __future__ import annotations

import pytest

from lab.logline import detected_level, json_fields, logfmt_pairs
from lab.logql_lines import processed
from lab.logql_syntax import parse
from lab.logql_tree import LogQLError, LogQuery
from lab.logstore import Entry


@pytest.mark.parametrize(
    ("labels", "line", "level"),
    [
        ({"level": "WARN"}, "level=error", "warn"),
        ({}, '{"level": "ERROR", "msg": "x"}', "error"),
        ({}, "ts=1 level=dbg msg=x", "debug"),
        ({}, "2026-11-22 LOG:  checkpoint complete", "unknown"),
        ({}, "java.lang.OutOfMemoryError: Java heap space", "unknown"),
        ({}, "FATAL:  sorry, too many clients already", "fatal"),
        ({}, "[error] upstream timed out", "error"),
    ],
)
def test_detected_level_comes_from_label_field_or_word(
    labels: dict[str, str], line: str, level: str
) -> None:
    assert detected_level(labels, {}, line) == level


def test_logfmt_reads_quoted_values_and_passes_over_the_rest() -> None:
    line = 'a=1 b="two words" c= loose d="say \\"hi\\"" e=x=y f="open'

    assert list(logfmt_pairs(line)) == [("a", "1"), ("b", "two words"), ("d", 'say "hi"')]


def test_json_flattens_objects_and_leaves_out_arrays_and_nulls() -> None:
    line = '{"a": {"b": 1.50, "c": true}, "d": [1], "e": null, "f": "x"}'

    assert json_fields(line) == {"a_b": "1.50", "a_c": "true", "f": "x"}
    assert json_fields("[1]") is None


@pytest.mark.parametrize(
    ("pipeline", "passes"),
    [
        ('|= "pool"', True),
        ('!= "pool"', False),
        ('|~ "po+l$"', False),
        ('!~ "(?i)POOL"', False),
        ("| logfmt | waiting > 40", True),
        ("| logfmt | waiting >= 41.5", False),
        ('| logfmt | msg =~ "pool.*"', True),
        ('| logfmt | msg =~ "pool"', False),
        ('| logfmt | nothing = ""', True),
        ("| logfmt | nothing > 1", False),
        ('| detected_level="error" |= `exhausted`', True),
    ],
)
def test_filters_keep_or_drop_a_line(pipeline: str, passes: bool) -> None:
    query = parse('{app="a"} ' + pipeline)
    assert isinstance(query, LogQuery)
    line = 'level=error msg="pool exhausted" waiting=41'
    entry = Entry(0, line, {"detected_level": "error"})

    assert (processed({"app": "a"}, entry, query.stages) is not None) == passes


def test_parsed_field_that_clashes_is_called_extracted() -> None:
    query = parse('{app="a"} | logfmt | drop detected_level')
    assert isinstance(query, LogQuery)

    found = processed({"app": "a", "level": "error"}, Entry(0, "level=error a-b=2"), query.stages)

    assert found == {"app": "a", "level": "error", "level_extracted": "error", "a_b": "2"}


@pytest.mark.parametrize(
    "query",
    [
        '{app="a"',
        '{app="a"} |',
        '{app="a"} | x ~ "y"',
        "{app=a}",
        'sum by app (rate({app="a"}[1m]))',
        'rate({app="a"})',
        'rate({app="a"}[x])',
        'sum(rate({app="a"}[1m])) extra',
        '{app=~"("}',
        ")",
    ],
)
def test_malformed_query_is_a_parse_error(query: str) -> None:
    with pytest.raises(LogQLError, match=r"^parse error"):
        parse(query)


@pytest.mark.parametrize(
    ("labels", "passes"),
    [
        ({"level": "error"}, True),
        ({"detected_level": "error"}, True),
        ({"level": "info", "detected_level": "error"}, True),
        ({"level": "info"}, False),
        ({}, False),
    ],
)
def test_label_filters_joined_by_or_need_one_of_them(labels: dict[str, str], passes: bool) -> None:
    query = parse('{app="x"} | detected_level=~"error|warn" or level=~"error|warn"')
    assert isinstance(query, LogQuery)

    found = processed({"app": "x", **labels}, Entry(1, "boom"), query.stages)

    assert (found is not None) is passes


def test_and_between_label_filters_is_refused_by_name() -> None:
    with pytest.raises(LogQLError, match='"and" between label filters'):
        parse('{app="x"} | a="1" or b="2" and c="3"')
