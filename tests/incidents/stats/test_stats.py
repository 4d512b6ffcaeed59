from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from incidents.models import AffectedService, Incident, Service, Status

Add = Callable[..., Incident]
SPAN = "since=2026-01-01&until=2026-01-31"


@pytest.fixture
def add(db: None) -> Add:
    """An incident that began at `at` and took minutes to detect, acknowledge, mitigate, resolve."""

    def made(
        at: str = "2026-01-05T12:00:00Z",
        minutes: tuple[float | None, ...] = (1, 2, 3, 4),
        services: tuple[str, ...] = ("checkout",),
        **columns: Any,
    ) -> Incident:
        start = datetime.fromisoformat(at)
        ends = [None if m is None else start + timedelta(minutes=m) for m in minutes]
        incident = Incident.objects.create(
            number=Incident.objects.count() + 1,
            title="x",
            started_at=start,
            detected_at=ends[0] or start,
            acknowledged_at=ends[1],
            mitigated_at=ends[2],
            resolved_at=ends[3],
            **{"severity": "high", "status": Status.RESOLVED, **columns},
        )
        for slug in services:
            service, _ = Service.objects.get_or_create(slug=slug, defaults={"name": slug})
            AffectedService.objects.create(incident=incident, service=service)
        return incident

    return made


def figures(n: int, mean: float | None, median: float | None, p90: float | None) -> dict[str, Any]:
    return {"n": n, "mean_seconds": mean, "median_seconds": median, "p90_seconds": p90}


NONE = figures(0, None, None, None)


def means(found: dict[str, Any], by: str) -> list[tuple[str, int, float]]:
    return [(g[by], g["incidents"], g["mttr"]["mean_seconds"]) for g in found[f"by_{by}"]]


def test_stats_are_those_computed_by_hand(api: APIClient, add: Add) -> None:
    add(minutes=(1, 2, 3, 10), severity="critical")
    add(minutes=(2, None, None, 20), services=("checkout", "cart"))
    add(at="2026-01-12T00:00:00Z", minutes=(3, 4, 5, 60), services=())

    found = api.get(f"/api/stats?{SPAN}").json()

    assert {name: found[name] for name in ("since", "until", "period", "time_zone")} == {
        "since": "2026-01-01",
        "until": "2026-01-31",
        "period": "week",
        "time_zone": "UTC",
    }
    # p90 of 600, 1200, 3600: 2 * 0.9 = 1.8, 1200 + 0.8 * 2400
    assert found["overall"] == {
        "incidents": 3,
        "ttd": figures(3, 120.0, 120.0, 168.0),
        "mtta": figures(2, 180.0, 180.0, 228.0),
        "ttm": figures(2, 240.0, 240.0, 288.0),
        "mttr": figures(3, 1800.0, 1200.0, 3120.0),
    }
    assert means(found, "severity") == [("critical", 1, 600.0), ("high", 2, 2400.0)]
    assert means(found, "service") == [("checkout", 2, 900.0), ("cart", 1, 1200.0)]
    assert [(g["first_day"], g["last_day"], g["incidents"]) for g in found["by_period"]] == [
        ("2025-12-29", "2026-01-04", 0),
        ("2026-01-05", "2026-01-11", 2),
        ("2026-01-12", "2026-01-18", 1),
        ("2026-01-19", "2026-01-25", 0),
        ("2026-01-26", "2026-02-01", 0),
    ]
    assert found["by_period"][0]["mttr"] == NONE


def test_stats_leave_out_what_does_not_count(api: APIClient, add: Add) -> None:
    kept = add()
    add(merged_into=kept)
    add(status=Status.MITIGATED)
    for closed_as in Incident.ClosedAs.values:
        add(closed_as=closed_as)

    assert api.get(f"/api/stats?{SPAN}").json()["overall"]["incidents"] == 1


@pytest.mark.parametrize(
    ("zone", "days"),
    [("UTC", ["2026-01-05"]), ("Asia/Tokyo", ["2026-01-06"]), ("America/New_York", ["2026-01-05"])],
)
def test_days_are_those_of_the_reader(
    api: APIClient, sam: User, add: Add, zone: str, days: list[str]
) -> None:
    sam.time_zone = zone
    add(at="2026-01-05T16:00:00Z")

    found = api.get(f"/api/stats?{SPAN}&period=day").json()

    assert found["time_zone"] == zone
    assert [g["first_day"] for g in found["by_period"] if g["incidents"]] == days


def test_span_holds_its_last_day_and_no_more(api: APIClient, add: Add) -> None:
    for at in ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"):
        add(at=at)
    for at in ("2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"):
        add(at=at)

    assert api.get(f"/api/stats?{SPAN}&period=month").json()["overall"]["incidents"] == 2


@pytest.mark.parametrize(
    ("query", "incidents", "services"),
    [
        ("service=cart", 1, ["cart", "checkout"]),
        ("severity=low", 1, ["checkout"]),
        ("service=cart&severity=low", 0, []),
    ],
)
def test_stats_of_a_service_and_a_severity(
    api: APIClient, add: Add, query: str, incidents: int, services: list[str]
) -> None:
    add(services=("cart", "checkout"))
    add(severity="low")

    found = api.get(f"/api/stats?{SPAN}&{query}").json()

    assert (found["overall"]["incidents"], [g["service"] for g in found["by_service"]]) == (
        incidents,
        services,
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("until=2026-13-01", "until"),
        ("since=2026-02-01&until=2026-01-01", "since"),
        ("since=1990-01-01&until=2026-01-01", "since"),
        ("since=2010-01-01&until=2026-01-01", "since"),
        ("until=9999-12-31", "until"),
        ("until=0001-01-01", "until"),
        ("period=year", "period"),
        ("since=2024-01-01&until=2026-01-01&period=day", "period"),
        ("service=nowhere", "service"),
        ("severity=dire", "severity"),
        ("time_zone=Mars/Olympus", "time_zone"),
    ],
)
@pytest.mark.parametrize("path", ["/api/stats", "/api/stats/export.csv"])
def test_what_cannot_be_asked_is_named(api: APIClient, path: str, query: str, field: str) -> None:
    answer = api.get(f"{path}?{query}")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_csv_has_a_row_for_each_group_and_metric(api: APIClient, add: Add) -> None:
    add(minutes=(1, None, 3, 4))

    answer = api.get(f"/api/stats/export.csv?{SPAN}&period=month")
    rows = list(csv.reader(io.StringIO(answer.content.decode())))

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert len(rows) == 1 + 4 * 4
    assert rows[1:3] == [
        ["overall", "all", "1", "ttd", "1", "60.0", "60.0", "60.0"],
        ["overall", "all", "1", "mtta", "0", "", "", ""],
    ]
    assert [row[:2] for row in rows[5::4]] == [
        ["severity", "high"],
        ["service", "checkout"],
        ["period", "2026-01-01"],
    ]


@pytest.fixture
def page(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


def test_page_shows_figures_and_plots(page: Client, add: Add) -> None:
    add(minutes=(1, None, 3, 75))

    shown = page.get(f"/stats?{SPAN}").content.decode()

    assert "1h 15m" in shown
    assert shown.count('class="stats-plot"') == 3
    assert "It was never reached in this span." in shown


def test_page_says_when_there_is_nothing_to_count(page: Client) -> None:
    shown = page.get("/stats").content.decode()

    assert "No incidents to count" in shown
    assert "stats-plot" not in shown


def test_page_names_a_wrong_choice(page: Client) -> None:
    answer = page.get("/stats?since=2026-02-01&until=2026-01-01")

    assert answer.status_code == 400
    assert "Since: This is after `until`." in answer.content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize("path", ["/stats", "/api/stats"])
def test_stats_take_the_same_queries_however_many(page: Client, add: Add, path: str) -> None:
    add()
    with CaptureQueriesContext(connection) as one:
        page.get(f"{path}?{SPAN}")
    add()
    add(services=("cart", "payments"))
    with CaptureQueriesContext(connection) as three:
        page.get(f"{path}?{SPAN}")

    assert len(three) == len(one)


def test_figures_are_kept_until_an_incident_changes(api: APIClient, add: Add) -> None:
    first = add(minutes=(1, 2, 3, 10))
    with CaptureQueriesContext(connection) as computed:
        api.get(f"/api/stats?{SPAN}")
    with CaptureQueriesContext(connection) as kept:
        before = api.get(f"/api/stats?{SPAN}").json()
    spared = len(computed) - len(kept)
    Incident.objects.filter(pk=first.pk).update(
        mitigated_at=F("mitigated_at") + timedelta(minutes=2), revision=F("revision") + 1
    )

    after = api.get(f"/api/stats?{SPAN}").json()

    assert spared == 2
    assert [found["overall"]["ttm"]["mean_seconds"] for found in (before, after)] == [180.0, 300.0]
