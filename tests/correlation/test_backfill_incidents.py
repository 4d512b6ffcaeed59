"""manage.py backfill_incidents and analyse_incidents, end to end on rows."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from django.core.management import CommandError, call_command
from django.utils import timezone

from correlation.models import Analysis, DataSource
from incidents import lifecycle
from incidents.intake import recovery
from incidents.intake.alertmanager import parse
from incidents.intake.alerts import store
from incidents.intake.grouping import run_waiting
from incidents.models import (
    Alert,
    Alertmanager,
    AlertOccurrence,
    AlertSource,
    GroupingRule,
    Incident,
    Service,
    ServiceDependency,
)
from timeline.models import TimelineAnchor, TimelineEvent

pytestmark = pytest.mark.django_db
CONTRACTS = Path(__file__).parents[1] / "contracts"
DAY = datetime(2026, 5, 1, tzinfo=UTC)


def moment(minutes: float) -> str:
    return (DAY + timedelta(minutes=minutes)).isoformat()


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """A CSV of (minute it began, minute it ended or None, alert, service)."""

    def write(*rows: tuple[float, float | None, str, str]) -> Path:
        path = tmp_path / "history.csv"
        with path.open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["starts_at", "ends_at", "alertname", "service", "severity"])
            for start, end, name, service in rows:
                ends_at = "" if end is None else moment(end)
                out.writerow([moment(start), ends_at, name, service, "critical"])
        return path

    return write


@pytest.fixture
def checkout() -> Service:
    return Service.objects.create(slug="checkout", name="Checkout")


def backfill(*arguments: Any) -> str:
    out = io.StringIO()
    call_command("backfill_incidents", *map(str, arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def spans() -> list[tuple[str, float, float | None]]:
    """(title, minute it began, minute it was resolved) of every incident, oldest first."""
    return [
        (
            one.title,
            (one.started_at - DAY).total_seconds() / 60,
            one.resolved_at and (one.resolved_at - DAY).total_seconds() / 60,
        )
        for one in Incident.objects.order_by("started_at", "number")
    ]


def test_file_makes_resolved_incidents_with_the_times_of_then(write: Any, checkout: Any) -> None:
    path = write((0, 20, "Slow", "checkout"), (5, 30, "Errors", "checkout"))

    backfill("--file", path)

    incident = Incident.objects.get()
    assert spans() == [("Slow on checkout", 0, 30)]
    assert (incident.source, incident.status, incident.severity) == (
        "backfill",
        "resolved",
        "critical",
    )
    events = TimelineEvent.objects.filter(incident=incident).order_by("seq")
    assert [(e.kind, (e.occurred_at - DAY).total_seconds() / 60) for e in events] == [
        ("incident_created", 0),
        ("alert_firing", 0),
        ("alert_firing", 5),
        ("alert_resolved", 20),
        ("alert_resolved", 30),
        ("status_changed", 30),
        ("incident_resolved", 30),
    ]
    assert TimelineAnchor.objects.get(pk=incident.pk).sealed_at is not None
    assert incident.affected.get().recovered_at == DAY + timedelta(minutes=30)
    assert Analysis.objects.count() == 0


def test_running_it_again_makes_nothing_twice(write: Any, checkout: Any) -> None:
    path = write((0, 20, "Slow", "checkout"), (90, 95, "Slow", "checkout"))
    backfill("--file", path)

    said = backfill("--file", path)

    assert spans() == [("Slow on checkout", 0, 20), ("Slow on checkout", 90, 95)]
    assert AlertOccurrence.objects.count() == 2
    assert said == "2 firings, 2 incidents:\n  2 there already\n"


def test_a_run_that_was_stopped_halfway_is_finished_by_the_next(write: Any, checkout: Any) -> None:
    rows = [(0, 20, "Slow", "checkout"), (90, 95, "Slow", "checkout")]
    backfill("--file", write(rows[0]))

    backfill("--file", write(*rows))

    assert spans() == [("Slow on checkout", 0, 20), ("Slow on checkout", 90, 95)]


def test_dry_run_says_what_would_be_made_and_writes_nothing(write: Any, checkout: Any) -> None:
    said = backfill("--file", write((0, 20, "Slow", "checkout")), "--dry-run")

    assert said == (
        "2026-05-01T00:00:00Z to 2026-05-01T00:20:00Z  Slow on checkout, 1 firings: "
        "would be made\n1 firings, 1 incidents:\n  1 would be made\n"
    )
    rows = (Incident, Alert, AlertOccurrence, AlertSource)
    assert [model.objects.count() for model in rows] == [0, 0, 0, 0]


def test_grouping_follows_delays_and_neighbours(write: Any, checkout: Any) -> None:
    payment = Service.objects.create(slug="payment", name="Payment")
    ServiceDependency.objects.create(caller=checkout, callee=payment)

    backfill(
        "--file",
        write(
            (0, 20, "Slow", "payment"),
            (2, 25, "Errors", "checkout"),  # calls payment, two minutes after it
            (30, 40, "Slow", "payment"),  # within the reopening window
            (90, 95, "Slow", "payment"),
        ),
    )

    assert spans() == [("Slow on payment", 0, 40), ("Slow on payment", 90, 95)]
    first = Incident.objects.order_by("number").first()
    assert first is not None
    services = first.affected.order_by("impact").values_list("service__slug", "impact")
    assert list(services) == [("payment", "primary"), ("checkout", "secondary")]


def test_grouping_rules_of_live_alerts_hold(write: Any, checkout: Any) -> None:
    GroupingRule.objects.create(
        name="by alert",
        group_by=["alertname"],
        window="fixed",
        window_seconds=600,
        minimum_alerts=2,
    )
    path = write(
        (0, 20, "Slow", "checkout"),
        (5, 20, "Slow", "payment"),
        (6, 20, "Errors", "checkout"),  # alone: too few
    )

    said = backfill("--file", path)

    assert spans() == [("Slow on checkout", 0, 20)]
    assert said.endswith("  1 made\n  1 firings were fewer than their rule asks for\n")


def test_an_open_incident_is_left_as_it_is(write: Any, checkout: Any) -> None:
    opened = lifecycle.open_incident(
        title="Checkout is slow",
        severity="high",
        services=[checkout],
        source=Incident.Source.ALERT,
        started_at=DAY,
        correlation_key="service:production:checkout",
    ).incident
    revision = Incident.objects.get(pk=opened.pk).revision

    said = backfill("--file", write((10, 20, "Slow", "checkout")))

    assert Incident.objects.get().revision == revision
    assert AlertOccurrence.objects.count() == 0
    assert said.endswith("  1 left alone, an incident covers them in part or whole\n")


def test_a_live_alert_never_reopens_a_backfilled_incident(tmp_path: Path, checkout: Any) -> None:
    now = timezone.now()
    labels = {"alertname": "Slow", "service": "checkout"}
    over = {
        "labels": labels,
        "startsAt": (now - timedelta(minutes=60)).isoformat(),
        "endsAt": (now - timedelta(minutes=13)).isoformat(),
    }
    path = tmp_path / "over.json"
    path.write_text(json.dumps([over]))
    rule = GroupingRule.objects.create(name="all", group_by=["@service"], reopen_window_seconds=0)
    backfill("--file", path)
    rule.reopen_window_seconds = 86400
    rule.save()
    again = {"status": "firing", "labels": labels, "startsAt": now.isoformat()}

    store(AlertSource.objects.get(), "{}", parse({"alerts": [again]}).alerts)
    run_waiting()

    kept = Incident.objects.order_by("number").values_list("source", "status")
    assert list(kept) == [("backfill", "resolved"), ("alert", "open")]


def test_what_is_not_over_long_enough_waits_for_a_later_run(tmp_path: Path) -> None:
    now = timezone.now()
    alert = {
        "labels": {"alertname": "Slow"},
        "startsAt": (now - timedelta(minutes=60)).isoformat(),
        "endsAt": (now - timedelta(minutes=1)).isoformat(),
    }
    path = tmp_path / "young.json"
    path.write_text(json.dumps([alert, {**alert, "labels": {"alertname": "B"}, "endsAt": None}]))

    said = backfill("--file", path)

    assert Incident.objects.count() == 0
    assert "  2 left for a later run" in said


def test_refused_entries_are_named_and_the_others_imported(write: Any, checkout: Any) -> None:
    path = write((0, 20, "Slow", "checkout"), (30, 25, "Slow", "checkout"))

    with pytest.raises(CommandError, match="Entries refused: 1") as refused:
        backfill("--file", path)

    assert refused.value.returncode == 1
    assert spans() == [("Slow on checkout", 0, 20)]


@pytest.fixture
def prometheus() -> DataSource:
    DataSource.objects.all().delete()
    return DataSource.objects.create(
        slug="prometheus", kind="prometheus", url="http://prometheus.example.com", enabled=True
    )


@responses.activate
def test_prometheus_series_become_firings(prometheus: DataSource) -> None:
    recorded = json.loads((CONTRACTS / "prometheus" / "query_alerts_series.json").read_text())
    series = [one["metric"] for one in recorded["response"]["body"]["data"]["result"]]
    start = int(DAY.timestamp())
    result = [
        {"metric": labels, "values": [[start + 60 * n, "1"] for n in range(number, 6)]}
        for number, labels in enumerate(series)
    ]
    body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    url = "http://prometheus.example.com/api/v1/query_range"
    asked = responses.get(url, json=body)

    said = backfill("--prometheus", "--from", moment(0), "--to", moment(3000))

    assert asked.call_count == 2  # 3001 points
    assert AlertOccurrence.objects.count() == len(series)
    assert sum("made" in line for line in said.splitlines()[:-2]) == Incident.objects.count()
    assert {one.resolved_at for one in Incident.objects.all()} == {DAY + timedelta(minutes=6)}
    names = {name for alert in Alert.objects.all() for name in alert.labels}
    assert not names & {"__name__", "alertstate"}


@responses.activate
def test_prometheus_that_does_not_answer_imports_nothing(prometheus: DataSource) -> None:
    responses.get("http://prometheus.example.com/api/v1/query_range", status=500)

    with pytest.raises(CommandError, match="Nothing was imported") as failed:
        backfill("--prometheus", "--from", moment(0), "--to", moment(60))

    assert failed.value.returncode == 1


@responses.activate
@pytest.mark.parametrize(
    ("status", "said"),
    [(422, "query processing would load too many samples"), (503, "query timed out")],
)
def test_what_is_too_much_for_one_request_is_asked_for_in_halves(
    prometheus: DataSource, status: int, said: str
) -> None:
    began = int(DAY.timestamp())

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        asked = {name: float(value) for name, value in request.params.items() if name != "query"}
        times = range(int(asked["start"]), int(asked["end"]) + 1, 60)
        if len(times) > 600:
            return status, {}, json.dumps({"status": "error", "error": said})
        values = [[at, "1"] for at in times if began + 6000 <= at < began + 90_000]
        series = [{"metric": {"alertname": "Slow"}, "values": values}] if values else []
        data = {"resultType": "matrix", "result": series}
        return 200, {}, json.dumps({"status": "success", "data": data})

    responses.add_callback(
        responses.GET, "http://prometheus.example.com/api/v1/query_range", callback=answer
    )

    backfill("--prometheus", "--from", moment(0), "--to", moment(3000))

    assert spans() == [("Slow on an unnamed service", 100, 1500)]


@responses.activate
@pytest.mark.parametrize(
    "changed",
    [
        {"receivers": [{"name": "null"}]},
        {"status": {"state": "active", "mutedBy": ["weekends"]}},
        {"status": {"state": "suppressed", "silencedBy": ["2c6d"]}},
    ],
    ids=["another receiver", "muted", "silenced"],
)
def test_alertmanagers_alerts_that_would_not_be_sent_to_us_are_left_to_it(changed: Any) -> None:
    source = AlertSource.objects.create(slug="alertmanager")
    Alertmanager.objects.create(source=source, url="http://alertmanager:9093", receiver="studio")
    recorded = json.loads((CONTRACTS / "alertmanager" / "alerts.json").read_text())
    ours = recorded["response"]["body"][0] | {"receivers": [{"name": "studio"}]}
    other = ours | {"labels": {"alertname": "Other"}} | changed
    responses.get("http://alertmanager:9093/api/v2/alerts", json=[other])

    backfill("--alertmanager")

    assert Incident.objects.count() == 0


@responses.activate
def test_alertmanagers_open_alerts_become_open_incidents_that_their_sender_ends(
    checkout: Any,
) -> None:
    source = AlertSource.objects.create(slug="alertmanager")
    Alertmanager.objects.create(source=source, url="http://alertmanager:9093")
    recorded = json.loads((CONTRACTS / "alertmanager" / "alerts.json").read_text())
    held = recorded["response"]["body"][0]
    held["startsAt"] = (timezone.now() - timedelta(minutes=30)).isoformat()
    responses.get("http://alertmanager:9093/api/v2/alerts", json=[held])

    backfill("--alertmanager")
    backfill("--alertmanager")

    incident = Incident.objects.get()
    assert (incident.source, incident.status) == ("backfill", "open")
    assert Analysis.objects.count() == 0
    told = {**held, "status": "resolved", "endsAt": timezone.now().isoformat()}
    store(source, "{}", parse({"alerts": [told]}).alerts)
    run_waiting()
    recovery.resolve_quiet(timezone.now() + timedelta(hours=1))
    assert Incident.objects.get().status == "resolved"
    assert AlertOccurrence.objects.count() == 1
    assert Analysis.objects.count() == 0


def test_analyses_are_queued_when_asked_for_only(write: Any, checkout: Any) -> None:
    backfill("--file", write((0, 20, "Slow", "checkout")), "--analyse")
    backfill("--file", write((90, 99, "Slow", "checkout"), (95, 99, "Slow", "payment")))

    asked = Analysis.objects.values_list("incident__started_at", "reason")
    assert list(asked) == [(DAY, "backfill")]


def test_analyse_incidents_queues_those_of_a_time_and_service(write: Any, checkout: Any) -> None:
    backfill(
        "--file",
        write(
            (0, 20, "Slow", "checkout"),
            (90, 99, "Slow", "checkout"),
            (200, 210, "Slow", "checkout"),
            (95, 99, "Slow", "payment"),
        ),
    )
    out = io.StringIO()
    chosen = ("--since", moment(60), "--service", "checkout", "--limit", "1")

    call_command("analyse_incidents", *chosen, "--dry-run", stdout=out)
    call_command("analyse_incidents", *chosen, stdout=out)
    call_command("analyse_incidents", *chosen, stdout=out)

    said = [line for line in out.getvalue().splitlines() if "queued" in line]
    assert said == ["1 would be queued.", "1 queued.", "1 queued."]
    asked = Analysis.objects.order_by("incident__started_at")
    began = asked.values_list("incident__started_at", "reason")
    assert list(began) == [
        (DAY + timedelta(minutes=90), "requested"),
        (DAY + timedelta(minutes=200), "requested"),
    ]


def test_asked_wrongly_ends_with_two(tmp_path: Path, prometheus: DataSource) -> None:
    wrong = [
        ("--prometheus", "nowhere", "--from", moment(0)),
        ("--prometheus",),
        ("--prometheus", "--from", moment(0), "--step", "0"),
        ("--alertmanager",),
        ("--file", str(tmp_path / "missing.csv")),
    ]

    codes = []
    for arguments in wrong:
        with pytest.raises(CommandError) as refused:
            backfill(*arguments)
        codes.append(refused.value.returncode)

    assert codes == [2, 2, 2, 2, 2]
