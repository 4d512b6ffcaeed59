from __future__ import annotations

import pytest

from correlation.logs.evidence import log_evidence
from correlation.telemetry import Evidence, LogLine, LogPattern, Telemetry

START = 1_800_000_000.0


def make_lines(
    message: str, before: int, after: int, level: str = "error", service: str = "shop"
) -> list[LogLine]:
    """`before` lines spread over 600 s ahead of START, `after` over the 60 s from it."""
    spread = [START - 600.0 * (i + 0.5) / before for i in range(before)]
    spread += [START + 60.0 * (i + 0.5) / after for i in range(after)]
    return [LogLine(service, at, message, level) for at in spread]


def judged(lines: list[LogLine], as_of: float = START + 60.0) -> list[Evidence]:
    telemetry = Telemetry(
        "shop", START, as_of, (START - 900, START), (START, as_of), logs=tuple(lines),
        log_source="loki", log_query="{}", log_baseline_seconds=600.0,
    )  # fmt: skip
    return log_evidence(telemetry, START, ["shop", "payment-processing", "cart"])


@pytest.mark.parametrize(
    ("before", "after", "level", "change"),
    [
        (0, 30, "error", "new"),
        (20, 60, "error", "surging"),
        (600, 0, "info", "vanished"),
        (600, 10, "info", "fading"),
    ],
)
def test_log_evidence_names_the_change(before: int, after: int, level: str, change: str) -> None:
    found = judged(make_lines("something happened", before, after, level))

    assert [item.details["change"] for item in found] == [change]


@pytest.mark.parametrize(
    ("before", "after", "level"), [(100, 10, "error"), (600, 62, "info"), (3, 1, "error")]
)
def test_an_unchanged_rate_is_no_evidence(before: int, after: int, level: str) -> None:
    assert judged(make_lines("the usual", before, after, level)) == []


def test_an_unchanged_rate_is_no_evidence_where_less_was_read_of_the_time_before() -> None:
    before = [LogLine("shop", START - 60.0 + i, "the usual", "info") for i in range(0, 60)]
    after = [LogLine("shop", START + i, "the usual", "info") for i in range(0, 600)]
    telemetry = Telemetry(
        "shop", START, START + 600, (START - 900, START), (START, START + 600),
        logs=(*before, *after), log_source="loki", log_query="{}", log_baseline_seconds=60.0,
    )  # fmt: skip

    assert log_evidence(telemetry, START, ["shop"]) == []


def test_levels_order_the_confidence_of_new_templates() -> None:
    said = [
        judged(make_lines("it broke", 0, 40, level))[0].confidence
        for level in ("info", "", "warn", "error")
    ]

    assert said == sorted(said)
    assert said[-1] > 0.9


def test_more_lines_are_better_evidence() -> None:
    said = [judged(make_lines("it broke", 0, n))[0].confidence for n in (4, 8, 20, 100)]

    assert said == sorted(said)


def test_details_carry_template_counts_rates_and_samples() -> None:
    lines = make_lines("order 17 failed at payment-processing", 0, 30)

    details = judged(lines)[0].details

    assert details["template"] == "order <num> failed at payment-processing"
    assert (details["count"], details["count_baseline"], details["rate"]) == (30, 0, 0.5)
    assert details["samples"] == ["order 17 failed at payment-processing"] * 3
    assert details["names"] == ["payment-processing"]


def test_lines_cut_at_a_limit_do_not_look_like_a_surge() -> None:
    """The newest 300 of an even stream on either side: the rate did not change."""
    before = [LogLine("shop", START - 0.1 * i, "tick", "info") for i in range(1, 301)]
    after = [LogLine("shop", START + 60.0 - 0.1 * i, "tick", "info") for i in range(300)]

    assert judged(before + after) == []


def test_without_any_earlier_line_newness_is_doubted() -> None:
    lines = tuple(make_lines("it broke", 0, 50))
    telemetry = Telemetry(
        "shop", START, START + 60, (START - 900, START), (START, START + 60), logs=lines
    )

    found = log_evidence(telemetry, START, ["shop"])

    assert [item.confidence for item in found] == [0.6]


@pytest.mark.parametrize(
    ("before", "after", "level", "title"),
    [
        (0, 30, "error", 'shop: new log pattern "it broke" (30/min, none before)'),
        (20, 60, "error", 'shop: surging log pattern "it broke" (60/min, 2/min before)'),
        (600, 0, "info", 'shop: vanished log pattern "it broke" (none now, 60/min before)'),
        (600, 10, "info", 'shop: fading log pattern "it broke" (10/min now, 60/min before)'),
    ],
)
def test_titles_name_service_template_and_rates(
    before: int, after: int, level: str, title: str
) -> None:
    found = judged(make_lines("it broke", before, after, level))

    assert [item.title for item in found] == [title]


def test_titles_cut_the_template_and_keep_the_rates() -> None:
    found = judged(make_lines("it broke " * 40, 0, 30))

    assert found[0].title.endswith('..." (30/min, none before)')
    assert len(found[0].title) <= 160


def counted(lines: list[LogLine], *patterns: LogPattern) -> list[object]:
    telemetry = Telemetry(
        "shop", START, START + 60.0, (START - 900, START), (START, START + 60.0),
        logs=tuple(lines), log_patterns=patterns, log_source="loki", log_query="{}",
        log_baseline_seconds=600.0,
    )  # fmt: skip
    return [item.details.get("pattern_count") for item in log_evidence(telemetry, START, ["shop"])]


def make_pattern(text: str, *counts: tuple[float, int]) -> LogPattern:
    return LogPattern(text, "error", tuple((START + at, n) for at, n in counts), 10.0)


LINES = make_lines("order 17 failed: pool exhausted", 0, 30)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([make_pattern("order <_> failed: pool exhausted", (-20, 9), (0, 400), (10, 500))], 900),
        ([make_pattern("order <_> failed: <_> exhausted", (0, 40)),
          make_pattern("order <_> failed: pool <_>", (10, 60))], 100),
        ([make_pattern("order <_> failed: pool exhausted", (0, 30))], None),
        ([make_pattern("order <_> is late", (0, 400))], None),
        ([], None),
    ],
    ids=["exact", "split in two", "nothing was cut", "another shape", "no patterns"],
)  # fmt: skip
def test_log_evidence_tells_the_exact_count_where_lines_were_cut(
    patterns: list[LogPattern], expected: int | None
) -> None:
    assert counted(LINES, *patterns) == [expected]


def test_log_evidence_gives_a_pattern_of_two_services_to_neither() -> None:
    both = [*LINES, *make_lines("order 17 failed: pool exhausted", 0, 30, service="cart")]

    found = counted(both, make_pattern("order <_> failed: pool exhausted", (0, 400)))

    assert found == [None, None]
