"""What analyses add to the timeline: each finding once, sources by their changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.utils import timezone

from correlation import outcome, queue, story
from correlation.gather import SourceStatus
from correlation.models import Analysis, Correlation
from correlation.sources import SourceState
from correlation.telemetry import Cause, Evidence, Ranking
from incidents import lifecycle
from incidents.models import Incident
from timeline.models import TimelineEvent

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


def spike(key: str, confidence: float = 0.95, **more: Any) -> Evidence:
    given: dict[str, Any] = {
        "type": "metric",
        "service": "checkout",
        "signal": key,
        "onset_at": 1_795_305_900.0,
        "baseline": 0.01,
        "value": 0.5,
        "title": f"checkout: {key} rose",
        "source": "prometheus",
        "query": f"rate({key})",
    }
    return Evidence(key=key, confidence=confidence, **{**given, **more})


def blame(service: str, *supporting: str, confidence: float = 0.9, kind: str = "oom") -> Cause:
    return Cause(service, kind, f"{service} broke", confidence, supporting)


def ranked(evidence: Sequence[Evidence], *causes: Cause) -> Ranking:
    missing = () if causes else ("no traces",)
    return Ranking(causes, tuple(evidence), inconclusive=not causes, missing=missing)


def prometheus(status: SourceState, detail: str = "") -> tuple[SourceStatus, ...]:
    return (SourceStatus("prometheus", "prometheus", status, detail),)


@pytest.fixture
def incident(make_incident: MakeIncident) -> Incident:
    return make_incident()


def analyse(
    incident: Incident,
    ranking: Ranking | None = None,
    statuses: tuple[SourceStatus, ...] = (),
    *,
    reason: str = "repeat",
    error: str = "",
) -> list[TimelineEvent]:
    """Run one analysis to its end; the events it told, in order."""
    if not Analysis.objects.filter(status="queued").exists():
        queue.request(incident_id=incident.pk, reason=reason)
    analysis = queue.claim_next()
    assert analysis is not None
    known = TimelineEvent.objects.count()
    outcome.start(analysis)
    if ranking is None:
        outcome.fail(analysis, error, statuses)
    else:
        outcome.finish(analysis, ranking, statuses)
    return list(TimelineEvent.objects.filter(incident=incident).order_by("seq"))[known:]


def told(events: Sequence[TimelineEvent]) -> list[tuple[str, str]]:
    return [(event.kind, event.title) for event in events]


def test_first_run_tells_its_start_its_evidence_and_its_cause(incident: Incident) -> None:
    ranking = ranked([spike("errors"), spike("faint", 0.4)], blame("checkout", "errors"))

    events = analyse(incident, ranking)

    assert told(events) == [
        ("correlation_analysis_started", "Correlation analysis started"),
        ("metric_spike", "checkout: errors rose"),
        ("root_cause_identified", "Root cause: checkout broke (90%, high)"),
    ]
    assert events[1].severity == "high"
    assert events[1].occurred_at.timestamp() == 1_795_305_900.0
    assert {k: events[1].data[k] for k in ("value", "baseline", "query", "confidence")} == {
        "value": 0.5,
        "baseline": 0.01,
        "query": "rate(errors)",
        "confidence": 0.95,
    }
    assert events[2].data["supporting"] == [str(Correlation.objects.get(key="errors").pk)]


def test_repeat_of_the_same_findings_tells_nothing(incident: Incident) -> None:
    ranking = ranked([spike("errors")], blame("checkout", "errors"))
    analyse(incident, ranking)

    assert analyse(incident, ranking) == []


@pytest.mark.parametrize(
    ("reason", "title"),
    [
        ("alert", "Correlation analysis started after a new alert"),
        ("requested", "Correlation analysis started on request"),
    ],
)
def test_start_says_who_asked(incident: Incident, reason: str, title: str) -> None:
    ranking = ranked([spike("errors")], blame("checkout", "errors"))
    analyse(incident, ranking)

    events = analyse(incident, ranking, reason=reason)

    assert told(events) == [("correlation_analysis_started", title)]


def test_second_attempt_of_a_run_does_not_start_again(incident: Incident) -> None:
    first = queue.claim_next()
    assert first is not None
    outcome.start(first)
    queue.release_leases()
    queue.sweep(timezone.now())

    events = analyse(incident, ranked([spike("errors")], blame("checkout", "errors")))

    assert [event.kind for event in events] == ["metric_spike", "root_cause_identified"]


def test_aftermath_of_a_told_cause_is_no_news_but_a_new_kind_of_proof_is(
    incident: Incident,
) -> None:
    analyse(incident, ranked([spike("errors")], blame("checkout", "errors")))
    log = spike("log", type="log", title="checkout logs OutOfMemory")
    later = ranked(
        [spike("errors"), spike("latency"), log], blame("checkout", "errors", "latency", "log")
    )

    assert told(analyse(incident, later)) == [("log_pattern", "checkout logs OutOfMemory")]
    assert analyse(incident, later) == []


def test_another_cause_is_told_and_names_the_one_it_replaces(incident: Incident) -> None:
    analyse(incident, ranked([spike("errors")], blame("checkout", "errors")))
    better = ranked(
        [spike("errors"), spike("pool", service="payments", title="payments: pool full")],
        blame("payments", "pool", confidence=0.7, kind="pool"),
        blame("checkout", "errors", confidence=0.2),
    )

    events = analyse(incident, better)

    assert told(events) == [
        ("metric_spike", "payments: pool full"),
        ("root_cause_identified", "Root cause: payments broke (70%, medium)"),
    ]
    assert events[1].data["replaces"] == "checkout:oom"


def test_one_run_tells_the_causes_proof_first_and_at_most_six(incident: Incident) -> None:
    strong = [spike(f"s{n}", 0.99, onset_at=1_795_305_900.0 + n) for n in range(9)]
    proof = spike("proof", 0.61, onset_at=None)

    events = analyse(incident, ranked([*strong, proof], blame("checkout", "proof")))

    spikes = [event.data["key"] for event in events if event.kind == "metric_spike"]
    assert len(spikes) == story.TOLD_PER_RUN
    assert spikes == ["s0", "s1", "s2", "s3", "s4", "proof"]


def test_title_without_its_service_gets_it(incident: Incident) -> None:
    ranking = ranked([spike("errors", title="errors rose")], blame("checkout", "errors"))

    assert told(analyse(incident, ranking))[1] == ("metric_spike", "checkout: errors rose")


def test_inconclusive_is_told_once_with_what_is_missing(incident: Incident) -> None:
    first = analyse(incident, ranked([]))
    second = analyse(incident, ranked([]))

    assert told(first)[-1] == (
        "correlation_inconclusive",
        "Correlation inconclusive: no cause stands out yet",
    )
    assert (first[-1].body, first[-1].data["missing"]) == ("- no traces", ["no traces"])
    assert second == []


def test_inconclusive_after_a_cause_is_no_news(incident: Incident) -> None:
    analyse(incident, ranked([spike("errors")], blame("checkout", "errors")))

    assert analyse(incident, ranked([])) == []


def test_source_is_told_when_it_stops_and_when_it_returns(incident: Incident) -> None:
    runs = [
        prometheus("ok"),
        prometheus("unavailable", "connection refused"),
        prometheus("unavailable", "connection refused"),
        prometheus("partial", "2 of 18 queries failed"),
        prometheus("ok"),
        prometheus("ok"),
        prometheus("no_data"),
    ]
    ranking = ranked([])
    analyse(incident, ranking)

    titles = [[e.title for e in analyse(incident, ranking, statuses)] for statuses in runs]

    assert titles == [
        [],
        ["prometheus unavailable: connection refused"],
        [],
        ["prometheus answered in part: 2 of 18 queries failed"],
        ["prometheus answers again"],
        [],
        [],
    ]


def test_failure_is_told_with_its_reason(incident: Incident) -> None:
    events = analyse(incident, error="ZeroDivisionError: division by zero")

    assert told(events)[-1] == ("correlation_failed", "Correlation analysis failed")
    assert events[-1].body == "ZeroDivisionError: division by zero"


def test_repeat_that_fails_alike_is_no_news_until_something_changed(incident: Incident) -> None:
    refused, slow = (
        "No telemetry source answered (refused).",
        "No telemetry source answered (slow).",
    )
    runs = [
        analyse(incident, error=refused),
        analyse(incident, error=refused),
        analyse(incident, error=slow),
        analyse(incident, error=slow, reason="requested"),
        analyse(incident, ranked([])),
        analyse(incident, error=slow),
    ]

    assert [[e.body for e in events if e.kind == "correlation_failed"] for events in runs] == [
        [refused],
        [],
        [slow],
        [slow],
        [],
        [slow],
    ]


def test_analysis_after_the_seal_stands_on_its_own_rows(incident: Incident) -> None:
    lifecycle.resolve(incident_id=incident.pk, actor=None)

    events = analyse(
        incident,
        ranked([spike("errors")], blame("checkout", "errors")),
        prometheus("unavailable", "refused"),
        reason="requested",
    )

    assert events == []
    newest = incident.analyses.order_by("-queued_at")[0]
    assert (newest.status, newest.root_causes.count()) == ("done", 1)
