"""Which earlier incidents are shown as alike, with what, and at what cost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from correlation.memory import similar_incidents, verdicts
from correlation.memory.similar_incidents import similar
from correlation.models import Analysis, FingerprintPart
from incidents import lifecycle
from incidents.merges import merging
from incidents.models import Incident
from tests.correlation.analysed import analysed
from tests.correlation.incidents import incident as telemetry_of

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


@pytest.fixture
def failed(make_incident: MakeIncident) -> Callable[..., Incident]:
    """An incident whose analysis saw `fault`."""

    def make(title: str, fault: str = "pool", seed: int = 1) -> Incident:
        found = make_incident(title)
        analysed(found, telemetry_of(fault, seed))
        found.refresh_from_db()
        return found

    return make


def test_the_same_fault_before_comes_first(failed: Callable[..., Incident]) -> None:
    pool, cpu = failed("pool"), failed("cpu", "cpu")
    now = failed("again", "pool", 2)

    found = similar(now)

    assert found[0].incident == pool
    assert cpu not in [one.incident for one in found if one.score >= found[0].score / 2]
    assert sum(share for _words, share in found[0].shared) == pytest.approx(found[0].score)
    assert any("connection pool exhaustion" in words for words, _share in found[0].shared)


def test_only_earlier_incidents_and_never_itself(failed: Callable[..., Incident]) -> None:
    first, second = failed("one"), failed("two")

    assert similar(first) == []
    assert [one.incident for one in similar(second)] == [first]


def test_merged_incidents_are_left_out(failed: Callable[..., Incident]) -> None:
    merged, survivor = failed("one"), failed("two")
    merging.merge(source_id=merged.pk, target_id=survivor.pk, actor=None)

    assert [one.incident for one in similar(failed("three"))] == [survivor]


def test_an_incident_without_a_finished_run_has_none(
    failed: Callable[..., Incident], make_incident: MakeIncident
) -> None:
    failed("one")

    panel = similar_incidents.context(make_incident("two"), None)

    assert panel == {"similar": [], "compared": False}


def test_a_later_run_replaces_the_fingerprint(failed: Callable[..., Incident]) -> None:
    incident = failed("one")
    before = set(FingerprintPart.objects.values_list("token", flat=True))

    later = analysed(incident, telemetry_of("cpu"))

    after = FingerprintPart.objects.filter(incident=incident)
    assert set(after.values_list("token", flat=True)) != before
    assert set(after.values_list("analysis", flat=True)) == {later.pk}


def test_the_surest_word_on_its_root_cause_is_shown(
    failed: Callable[..., Incident], sam: User
) -> None:
    past = failed("one")
    now = failed("two")
    ranked = similar(now)[0].root_cause
    lifecycle.patch(incident_id=past.pk, actor=sam, changes={"root_cause": "Leaked connections."})
    recorded = similar(now)[0].root_cause
    verdicts.give(incident_id=past.pk, actor=sam, verdict="confirmed", service="payment", kind="")
    confirmed = similar(now)[0].root_cause

    assert ranked == (past.top_cause, "ranked")
    assert recorded == ("Leaked connections.", "recorded")
    assert confirmed == ("payment: cause not named", "confirmed")


def test_what_was_taken_back_does_not_count(failed: Callable[..., Incident], sam: User) -> None:
    past, now = failed("one"), failed("two")
    for verdict in ("confirmed", "withdrawn"):
        verdicts.give(incident_id=past.pk, actor=sam, verdict=verdict, service="dns", kind="")

    assert similar(now)[0].verdict is None


@pytest.mark.parametrize("past", [1, 3])
def test_queries_do_not_grow_with_the_past(failed: Callable[..., Incident], past: int) -> None:
    for n in range(past):
        failed(f"past {n}", "pool", n)
    now = failed("now", "pool", 9)

    with CaptureQueriesContext(connection) as queries:
        found = similar(now)

    assert (len(found), len(queries)) == (past, 8)


def test_candidates_are_bounded(
    failed: Callable[..., Incident], make_incident: MakeIncident, settings: object
) -> None:
    past = failed("past")
    parts = list(FingerprintPart.objects.filter(incident=past))
    for n in range(similar_incidents.CANDIDATES + 5):
        copy = make_incident(f"copy {n}")
        run = Analysis.objects.get(incident=copy)
        FingerprintPart.objects.bulk_create(
            FingerprintPart(incident=copy, analysis=run, token=part.token, words=part.words)
            for part in parts[:3]
        )
    now = failed("now")

    with CaptureQueriesContext(connection) as queries:
        found = similar(now, 100)

    assert (found[0].incident, len(queries)) == (past, 8)
    assert len(found) <= similar_incidents.CANDIDATES


def test_api_answers_with_parts_and_the_end(failed: Callable[..., Incident], sam: User) -> None:
    past = failed("one")
    lifecycle.resolve(incident_id=past.pk, actor=sam, resolution="Raised the pool's size.")
    now = failed("two")
    api = APIClient()
    api.force_authenticate(sam)

    (found,) = api.get(f"/api/incidents/{now.reference}/similar").json()

    assert (found["reference"], found["status"]) == (past.reference, "resolved")
    assert (found["resolution"], found["root_cause_by"]) == ("Raised the pool's size.", "ranked")
    assert found["score"] == pytest.approx(sum(p["share"] for p in found["shared"]), abs=0.01)


@pytest.mark.parametrize("limit", ["0", "21", "-1", "x", "²"])
def test_api_refuses_a_bad_limit(failed: Callable[..., Incident], sam: User, limit: str) -> None:
    api = APIClient()
    api.force_authenticate(sam)

    response = api.get(f"/api/incidents/{failed('one').reference}/similar", {"limit": limit})

    assert (response.status_code, list(response.json()["errors"])) == (400, ["limit"])


def test_page_shows_how_the_like_one_was_fixed(
    client: Client, failed: Callable[..., Incident], sam: User
) -> None:
    past = failed("Payments <stall>")
    lifecycle.resolve(incident_id=past.pk, actor=sam, resolution="Raised the pool's size.")
    client.force_login(sam)

    html = client.get(failed("two").get_absolute_url()).content.decode()

    panel = html.partition('id="similar"')[2].partition("</section>")[0]
    assert "Payments &lt;stall&gt;" in panel
    assert "Raised the pool&#x27;s size." in panel
