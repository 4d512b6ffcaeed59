from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import audit
from accounts.audit.models import AuditDraft
from accounts.audit.reading import PAGE_SIZE
from accounts.models import AuditEntry, Role, User

Entries = Callable[..., list[AuditEntry]]


@pytest.fixture
def page(client: Client, person: User) -> Client:
    client.force_login(person)
    return client


def write(count: int, action: str = "thing.done", target: User | None = None) -> None:
    for number in range(count):
        audit.record(action, target, {"n": number}, {"n": number + 1})


def test_page_lists_entries_with_their_difference(page: Client, acting: User) -> None:
    audit.record("user.changed", acting, {"role": "viewer"}, {"role": "<admin>"}, reason="asked")

    shown = page.get("/audit").content.decode()

    assert "<strong>user.changed</strong>" in shown
    assert "<del>viewer</del><ins>&lt;admin&gt;</ins>" in shown
    assert "1 entry, chained" in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["one.made", "one.changed", "other.made"]),
        ("?who=AD", ["one.made", "one.changed", "other.made"]),
        ("?who=bob", []),
        ("?kind=one", ["one.made", "one.changed"]),
        ("?kind=one.made", ["one.made"]),
        ("?kind=on", []),
        ("?target=ada", ["one.made"]),
        ("?since=2999-01-01T00:00:00Z", []),
        ("?until=2999-01-01T00:00:00Z", ["one.made", "one.changed", "other.made"]),
    ],
)
def test_api_filters(page: Client, acting: User, query: str, found: list[str]) -> None:
    audit.record("one.made", acting)
    audit.record("one.changed")
    audit.record("other.made")

    answer = page.get(f"/api/audit{query}").json()

    assert [entry["action"] for entry in answer["results"]] == found[::-1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("until=1", "until"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "until"),
        ("limit=none", "limit"),
    ],
)
def test_api_names_a_bad_filter(page: Client, query: str, field: str) -> None:
    answer = page.get(f"/api/audit?{query}")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_page_names_a_bad_filter_and_lists_nothing(page: Client, acting: User) -> None:
    write(1)

    answer = page.get("/audit?since=2026-01-02T00:00&until=2026-01-01T00:00")

    assert answer.status_code == 400
    assert "Until: This is not after the beginning." in answer.content.decode()
    assert "thing.done" not in answer.content.decode()


def test_page_reads_times_in_the_time_zone_of_the_reader(page: Client, acting: User) -> None:
    User.objects.filter(pk=acting.pk).update(time_zone="Asia/Tokyo")
    write(1)
    at = AuditDraft.objects.get().at
    ahead = (at + timedelta(hours=9)).replace(tzinfo=None)

    before = page.get("/audit", {"until": f"{ahead - timedelta(minutes=2):%Y-%m-%dT%H:%M}"})
    after = page.get("/audit", {"until": f"{ahead + timedelta(minutes=2):%Y-%m-%dT%H:%M}"})

    assert "thing.done" not in before.content.decode()
    assert "thing.done" in after.content.decode()


def test_page_goes_on_with_older_entries(page: Client, acting: User) -> None:
    write(PAGE_SIZE + 1)

    first = page.get("/audit?kind=thing")
    second = page.get("/audit?" + first.context["older"])

    assert [entry.seq for entry, _ in first.context["rows"]] == list(range(PAGE_SIZE + 1, 1, -1))
    assert [entry.seq for entry, _ in second.context["rows"]] == [1]
    assert second.context["older"] == ""


@pytest.mark.parametrize("address", ["/audit", "/api/audit"])
def test_lists_take_the_same_queries_however_many(
    page: Client, acting: User, entries: Entries, address: str
) -> None:
    write(1)
    entries()
    with CaptureQueriesContext(connection) as one:
        page.get(address)
    write(2)
    entries()
    with CaptureQueriesContext(connection) as three:
        page.get(address)

    assert len(three) == len(one)


def test_csv_holds_what_was_asked_for_and_no_formulas(
    page: Client, acting: User, entries: Entries
) -> None:
    audit.record("thing.done", None, None, {"n": 1}, reason="=1+1")
    audit.record("other.done")

    answer = page.get("/api/audit/export.csv?kind=thing")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))

    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert [(row["action"], row["after"], row["reason"]) for row in rows] == [
        ("thing.done", '{"n": 1}', "'=1+1")
    ]


def test_json_lines_hold_every_entry_in_order_and_the_export_is_an_entry(
    page: Client, acting: User, entries: Entries
) -> None:
    write(3)

    answer = page.get("/api/audit/export.jsonl")
    lines = [json.loads(line) for line in b"".join(answer).decode().splitlines()]

    assert [(line["seq"], line["after"]) for line in lines] == [
        (1, {"n": 1}),
        (2, {"n": 2}),
        (3, {"n": 3}),
    ]
    (exported,) = entries("audit.exported")
    assert (exported.actor, exported.after) == (acting, {"as": "jsonl"})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER])
def test_audit_is_for_administrators(client: Client, person: User, role: Role) -> None:
    User.objects.filter(pk=person.pk).update(role=role)
    client.force_login(person)

    statuses = {
        client.get(f"{path}").status_code
        for path in ("/audit", "/api/audit", "/api/audit/export.csv", "/api/audit/export.jsonl")
    }

    assert statuses == {403}


def test_empty_audit_says_so(page: Client) -> None:
    assert "Nothing yet" in page.get("/audit").content.decode()
    assert "Nothing matches" in page.get("/audit?who=bob").content.decode()
