"""The pages of SLOs: what they show, what they refuse, and that they poll for free."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from incidents import demo, lifecycle
from incidents.models import Service
from slos.evaluating import samples
from slos.models import SLO, SLOBreach, SLOCorrection, SLOSnapshot
from tests.incidents.conftest import make_person
from tests.slos.conftest import FAILED, REQUESTS

Make = Callable[..., SLO]
pytestmark = pytest.mark.django_db
POLL = {"HX-Request": "true"}


@pytest.fixture
def page(client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(make_person("ada", Role.ADMIN))
    return client


def typed(**changed: Any) -> dict[str, Any]:
    """The form as it is filled in for a ratio."""
    demo.seed()
    return {
        "service": Service.objects.get(slug="payment-processing").pk,
        "name": "payments",
        "kind": "ratio",
        "counted": "bad",
        "part": FAILED,
        "total": REQUESTS,
        "op": "lte",
        "target_percent": "99.9",
        "span": "30d",
        "rolling": "1",
        "time_zone": "UTC",
        "least_events": "1",
        "labels": "",
        "policy_severity": ["page", "ticket", "page"],
        "policy_long": ["1h", "", "6h"],
        "policy_short": ["5m", "", "30m"],
        "policy_factor": ["14.4", "", "6"],
        **changed,
    }


def test_overview_shows_the_worst_first(page: Client, make_slo: Make) -> None:
    for name, status, quality, budget in (
        ("calm", "healthy", "ok", 0.9),
        ("unheard", "healthy", "failed", 0.8),
        ("burning", "critical", "ok", 0.5),
        ("gone", "exhausted", "ok", -2.0),
        ("slow", "warning", "ok", 0.7),
        ("off", "exhausted", "ok", -9.0),
    ):
        make_slo(name=name, enabled=name != "off")
        SLO.objects.filter(name=name).update(
            status=status, quality=quality, budget_remaining=budget, error="refused"
        )

    answer = page.get("/slos")

    shown = [row.slo.name for row in answer.context["rows"]]
    assert shown == ["gone", "burning", "slow", "unheard", "calm", "off"]
    assert "evaluation failed" in answer.text


def test_overview_is_filtered_and_says_when_nothing_fits(page: Client, make_slo: Make) -> None:
    make_slo()
    make_slo("checkout")

    one = page.get("/slos?service=checkout")
    same = page.get("/slos?q=&service=checkout&status=&enabled=")  # as the form sends it
    none = page.get("/slos?status=exhausted")
    bad = page.get("/slos?status=fine")

    for answer in (one, same):
        assert [row.slo.name for row in answer.context["rows"]] == ["checkout-availability"]
    assert "No SLO fits the filter" in none.text
    assert bad.status_code == 400


def test_poll_is_answered_only_when_something_changed(page: Client, make_slo: Make) -> None:
    slo = make_slo()
    for address in ("/slos", f"/slos/{slo.name}"):
        seen = page.get(address).context["seen"]
        same = page.get(address, {"seen": seen}, headers=POLL)
        SLO.objects.update(evaluated_at=timezone.now())
        other = page.get(address, {"seen": seen}, headers=POLL)

        assert (same.status_code, other.status_code) == (204, 200)
        assert "<html" not in other.text


def test_page_shows_history_breaches_and_incidents(page: Client, make_slo: Make) -> None:
    slo = make_slo()
    now = timezone.now()
    end = samples.boundary(now.timestamp())
    samples.store(samples.Row(slo.pk, end - n * 300, samples.Events(99.0, 100.0)) for n in range(9))
    SLOSnapshot.objects.bulk_create(
        SLOSnapshot(slo=slo, at=now - timedelta(minutes=n), status="critical", quality="ok",
                    budget_remaining=-n / 10)
        for n in range(1, 9)
    )  # fmt: skip
    incident = lifecycle.open_incident(
        title="Payments fail", severity="high", services=[slo.service], allow_duplicate=True
    ).incident
    SLOBreach.objects.create(
        slo=slo, policy="1h/5m", severity="page", factor=14.4, started_at=now, incident=incident,
        peak_burn_rate=20.0,
    )  # fmt: skip
    row = {"severity": "page", "long_seconds": 3600.0, "short_seconds": 300.0, "factor": 14.4}
    burning = {**row, "firing": True, "long_burn": 20.0, "short_burn": 30.0, "held_back": ""}
    SLO.objects.update(judgements=[burning], burn_rates={"1h": 20.0}, budget_remaining=0.5)

    answer = page.get(f"/slos/{slo.name}?span=1d")

    assert answer.text.count('class="plot"') == 2
    assert answer.text.count('class="plot-breach"') == 2
    assert [one.incident for one in answer.context["breaches"]] == [incident]
    assert answer.context["incidents"] == [incident]
    assert answer.context["policies"][0].since == now
    assert answer.context["exhaustions"][0].seconds == 0.5 * 30 * 86400 / 20.0


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"error": "connection refused", "quality": "failed"}, "connection refused"),
        ({"quality": "inconsistent"}, "contradict each other"),
        ({"quality": "no_data", "evaluated_at": "2026-01-01T00:00:00Z"}, "it is unknown"),
        (
            {"quality": "partial", "status": "healthy", "covered_seconds": 3600.0},
            "Partial: 1h 00m of 30d 0h",
        ),
        (
            {"quality": "partial", "covered_seconds": 7200.0, "budget_remaining": -35.0},
            "Not enough data: 2h 00m of 30d 0h.</b> What exists would have spent its own budget, "
            "and 10 % of a whole period",
        ),
        ({"indicator": {}}, "It cannot be evaluated."),
        ({"enabled": False}, "It is not evaluated"),
    ],
)
def test_page_says_loudly_what_its_numbers_are_worth(
    page: Client, make_slo: Make, columns: dict[str, Any], words: str
) -> None:
    slo = make_slo()
    SLO.objects.update(**columns)

    assert words in page.get(f"/slos/{slo.name}").text


def test_form_makes_an_slo_of_each_kind(page: Client, lab_now: None) -> None:
    histogram = 'http_request_duration_seconds{service="payment-processing"}'
    latency = {"kind": "latency", "histogram": histogram, "seconds": "0.25"}
    gauge = {"kind": "threshold", "query": "up", "op": "gte", "value": "1"}

    answers = [
        page.post("/slos/new", typed(accept_no_data="on", name=f"slo-{n}", **more))
        for n, more in enumerate(({}, latency, {**gauge, "part": "ignored"}))
    ]

    kinds = [slo.indicator["kind"] for slo in SLO.objects.order_by("name")]
    assert [answer.status_code for answer in answers] == [302, 302, 302]
    assert kinds == ["ratio", "latency", "threshold"]
    assert SLO.objects.get(name="slo-0").target == 0.999
    assert [p["factor"] for p in SLO.objects.get(name="slo-0").policies] == [14.4, 6.0]


def test_form_says_at_the_gauge_what_its_source_refuses(page: Client, lab_now: None) -> None:
    gauge = {"kind": "threshold", "query": "hour(up)", "value": "1"}

    answer = page.post("/slos/new", typed(**gauge))

    assert (answer.status_code, SLO.objects.count()) == (422, 0)
    assert "not supported by the lab" in str(answer.context["form"].errors["query"])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"target_percent": "100"}, "target_percent"),
        ({"part": "sum("}, "part"),
        ({"total": ""}, "total"),
        ({"name": "Payments!"}, "name"),
        ({"span": "other", "period": "soon"}, "period"),
        ({"span": "other", "period": ""}, "period"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"kind": "threshold", "query": "up"}, "value"),
    ],
)
def test_form_says_at_its_fields_what_is_wrong(
    page: Client, changed: dict[str, str], field: str
) -> None:
    answer = page.post("/slos/new", typed(**changed))

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert not SLO.objects.exists()


@pytest.mark.parametrize(
    ("factor", "words"),
    [("much", "is no number"), ("2000", "can never be exceeded")],
)
def test_form_keeps_policies_that_are_wrong_and_says_why(
    page: Client, factor: str, words: str
) -> None:
    answer = page.post("/slos/new", typed(policy_factor=["14.4", "", factor]))

    assert words in answer.context["policy_errors"][0]
    assert [row.factor for row in answer.context["rows"]] == ["14.4", factor, ""]


def test_edit_is_refused_when_somebody_was_faster(page: Client, make_slo: Make) -> None:
    slo = make_slo()
    form = page.get(f"/slos/{slo.name}/edit").context["form"]
    given = typed(version=form["version"].value(), target_percent="99")

    first = page.post(f"/slos/{slo.name}/edit", given)
    second = page.post(f"/slos/{slo.name}/edit", {**given, "target_percent": "98"})

    slo.refresh_from_db()
    assert (first.status_code, second.status_code, slo.target) == (302, 422, 0.99)
    assert second.context["form"].non_field_errors()


def test_edit_changes_nothing_where_nothing_was_typed(page: Client, make_slo: Make) -> None:
    slo = make_slo(period="2w", labels={"team": "money"}, target=0.99999)
    form = page.get(f"/slos/{slo.name}/edit").context["form"]
    given = {name: form[name].value() for name in form.fields}
    given = {name: value for name, value in given.items() if value is not None}
    rows = {f"policy_{p}": [getattr(row, p) for row in form.rows] for p in
            ("severity", "long", "short", "factor")}  # fmt: skip

    answer = page.post(f"/slos/{slo.name}/edit", {**given, **rows, "labels": "team = money"})

    again = SLO.objects.get()
    assert (answer.status_code, again.version) == (302, 1)
    assert again.definition() == slo.definition()


def test_check_shows_the_last_hour(page: Client, lab_now: None) -> None:
    found = page.post("/slos/check", typed(name=""), headers=POLL)
    wrong = page.post("/slos/check", typed(total="sum(rate(x[{{.window}}])"), headers=POLL)

    assert (found.status_code, found.context["found"]["ok"]) == (200, True)
    assert (wrong.status_code, "Does not parse" in wrong.text) == (422, True)


def test_workbook_s_policies_follow_period_and_target(page: Client) -> None:
    fragment = page.post("/slos/policies", typed(span="28d", target_percent="90"), headers=POLL)

    assert [row.factor for row in fragment.context["rows"]] == ["5.6", "2.8", "0.9333333333", ""]


def test_import_is_tried_and_then_done(page: Client, make_slo: Make) -> None:
    make_slo()
    text = page.get("/api/slos/openslo.yaml").text
    SLO.objects.all().delete()

    tried = page.post("/slos/import", {"openslo": text, "try": "1"})
    nothing = SLO.objects.count()
    done = page.post("/slos/import", {"openslo": text, "import": "1"})
    refused = page.post("/slos/import", {"openslo": "kind: SLO", "import": "1"})

    assert [one.act for one in tried.context["tried"]] == ["create"]
    assert (nothing, done.status_code, SLO.objects.count()) == (0, 302, 1)
    assert (refused.status_code, refused.context["refusals"][0].line) == (422, 1)
    assert tried.context["form"]["openslo"].value() == text


def test_span_is_excluded_and_counts_again(page: Client, make_slo: Make) -> None:
    slo = make_slo()
    given = {"starts_at": "2026-01-01T10:00", "ends_at": "2026-01-01T11:00", "reason": "Drill"}

    empty = page.post(f"/slos/{slo.name}/corrections", {**given, "reason": ""})
    done = page.post(f"/slos/{slo.name}/corrections", given)
    row = SLOCorrection.objects.get()
    silent = page.post(f"/slos/{slo.name}/corrections/{row.pk}/withdraw", {"reason": " "})
    page.post(f"/slos/{slo.name}/corrections/{row.pk}/withdraw", {"reason": "No drill"})

    row.refresh_from_db()
    assert [a.status_code for a in (empty, done, silent)] == [422, 302, 422]
    assert row.starts_at.isoformat() == "2026-01-01T10:00:00+00:00"
    assert (row.withdrawn_reason, str(row.withdrawn_by)) == ("No drill", "ada")


def test_slo_is_switched_off_and_on(page: Client, make_slo: Make) -> None:
    slo = make_slo()

    page.post(f"/slos/{slo.name}/switch", {"enabled": "0"})
    off = SLO.objects.get().enabled
    page.post(f"/slos/{slo.name}/switch", {"enabled": "1"})

    assert (off, SLO.objects.get().enabled) == (False, True)


def test_service_s_page_shows_its_slos(page: Client, make_slo: Make) -> None:
    slo = make_slo()

    shown = page.get(f"/services/{slo.service.slug}").text

    assert f'href="/slos/{slo.name}"' in shown


def test_buttons_of_the_form_ask_pages(page: Client) -> None:
    form = page.get("/slos/new").text

    assert 'hx-post="/slos/check"' in form
    assert 'hx-post="/slos/policies"' in form
    assert 'id="slo-form" data-keep ' in form  # they must not empty what was typed
