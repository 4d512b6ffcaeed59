"""/api/slos: who may do what, what is refused by field, what a source says of the queries."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Role
from correlation.models import DataSource
from incidents import demo
from slos.models import SLO
from slos.openslo.reading import read
from tests.incidents.conftest import make_person
from tests.slos.conftest import FAILED, REQUESTS

Make = Callable[..., SLO]
pytestmark = pytest.mark.django_db
RATIO = {"kind": "ratio", "total": REQUESTS, "bad": FAILED}
HISTOGRAM = 'http_request_duration_seconds{service="payment-processing"}'
LATENCY = {"kind": "latency", "histogram": HISTOGRAM, "seconds": 0.25}
GIVEN = {
    "name": "payments-availability",
    "service": "payment-processing",
    "indicator": RATIO,
    "target": 0.999,
}


@pytest.fixture
def api(db: None) -> APIClient:
    """An administrator, and the shop's catalogue."""
    demo.seed()
    client = APIClient()
    client.force_authenticate(make_person("ada", Role.ADMIN))
    return client


def test_slo_is_made_with_the_workbook_s_policies(api: APIClient, lab_now: None) -> None:
    made = api.post("/api/slos", GIVEN, format="json")
    read_again = api.get("/api/slos/payments-availability")

    body = made.json()
    assert (made.status_code, len(body.pop("warnings"))) == (201, 1)  # twenty minutes of an hour
    assert made["Location"].endswith("/api/slos/payments-availability")
    assert read_again.json() == body
    assert api.get(f"/api/slos/{body['id']}").json() == body
    assert [policy["factor"] for policy in body["policies"]] == [14.4, 6.0, 3.0, 1.0]
    assert (body["status"], body["quality"], body["created_by"]) == ("no_data", "no_data", "ada")


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"target": 1.0}, "target", "A share above 0 and below 1; 1 leaves no budget to burn."),
        ({"name": "Payments"}, "name", "At most 63 lower-case letters, digits and dashes."),
        ({"name": "new"}, "name", "'new' is an address of ours; choose another name."),
        ({"service": "nowhere"}, "service", "There is no service 'nowhere' in the catalogue."),
        ({"environment": "moon"}, "environment", None),
        ({"data_source": "eu"}, "data_source", "There is no data source 'eu'."),
        ({"period": "1M"}, "period", None),
        ({"time_zone": "Mars/Base"}, "time_zone", "'Mars/Base' is no IANA time zone."),
        ({"indicator": {"kind": "mean"}}, "indicator", None),
        ({"indicator": {"kind": "ratio", "total": REQUESTS}}, "indicator", None),
        ({"indicator": {**RATIO, "bad": "sum("}}, "indicator.bad", None),
        ({"indicator": {**RATIO, "worse": "x"}}, "indicator.worse", "A ratio has no such part."),
        ({"indicator": {**LATENCY, "seconds": "fast"}}, "indicator.seconds", "Must be a number."),
        ({"policies": [{"severity": "page"}]}, "policies", None),
        (
            {
                "target": 0.9,
                "policies": [
                    {"severity": "page", "long_seconds": 3600, "short_seconds": 300, "factor": 14.4}
                ],
            },
            "policies",
            "A burn rate of 14.4 can never be exceeded: with a target of 0.9 it is at most 10.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_an_slo_is_refused_by_field(
    api: APIClient, given: dict[str, Any], field: str, message: str | None
) -> None:
    answer = api.post("/api/slos", {**GIVEN, **given}, format="json")

    errors = answer.json()["errors"]
    assert (answer.status_code, list(errors)) == (400, [field])
    assert message is None or errors[field] == [message]
    assert not SLO.objects.exists()


def test_what_the_source_cannot_do_is_refused_in_its_own_words(
    api: APIClient, lab_now: None
) -> None:
    total = f"sum(increase({REQUESTS}[{{{{.window}}}}])) and on(x) y{{z=~'('}}"
    refused = api.post(
        "/api/slos", {**GIVEN, "indicator": {**RATIO, "total": total}}, format="json"
    )

    errors = refused.json()["errors"]
    assert (refused.status_code, list(errors)) == (400, ["indicator.total"])


def test_more_good_than_all_is_refused(api: APIClient, lab_now: None) -> None:
    swapped = {"kind": "ratio", "total": FAILED, "good": REQUESTS}

    refused = api.post("/api/slos", {**GIVEN, "indicator": swapped}, format="json")

    (said,) = refused.json()["errors"]["indicator.good"]
    assert (refused.status_code, said[:16]) == (400, "More good events")


def test_bucket_that_is_not_there_is_refused_with_those_that_are(
    api: APIClient, lab_now: None
) -> None:
    between = {**LATENCY, "seconds": 0.2345}

    refused = api.post("/api/slos", {**GIVEN, "indicator": between}, format="json")
    made = api.post("/api/slos", {**GIVEN, "indicator": LATENCY}, format="json")

    (said,) = refused.json()["errors"]["indicator.seconds"]
    start, _, ends = said.partition(": ")
    assert start == "No bucket ends at 0.2345 s. Those that there are end at"
    assert "0.25" in ends.rstrip(".").split(", ")
    assert made.status_code == 201


def test_no_data_is_saved_only_where_somebody_expects_none(api: APIClient, lab_now: None) -> None:
    given = {**GIVEN, "indicator": {**RATIO, "total": "nothing_total", "bad": "none_total"}}

    refused = api.post("/api/slos", given, format="json")
    saved = api.post("/api/slos", {**given, "accept_no_data": True}, format="json")

    assert refused.json()["errors"] == {
        "indicator.total": ["No data in the last hour."],
        "accept_no_data": ["Set it to save the SLO although there is no data yet."],
    }
    assert saved.json()["warnings"] == ["indicator.total: No data in the last hour."]


def test_slo_is_saved_with_a_warning_where_no_source_answers(api: APIClient) -> None:
    DataSource.objects.create(slug="gone", kind="prometheus", url="http://127.0.0.1:9", options={})

    alone = api.post("/api/slos", GIVEN, format="json")
    refusing = {**GIVEN, "name": "other", "data_source": "gone"}
    gone = api.post("/api/slos", refusing, format="json")

    (warning,) = gone.json()["warnings"]
    assert (alone.status_code, gone.status_code) == (201, 201)
    assert warning == (
        "The data source gone could not be asked (connection refused by 127.0.0.1:9): "
        "nothing was checked there."
    )


def test_name_is_taken_once_and_kept(api: APIClient, make_slo: Make) -> None:
    slo = make_slo()

    again = api.post("/api/slos", {**GIVEN, "name": slo.name}, format="json")
    renamed = api.patch(f"/api/slos/{slo.name}", {"name": "other"}, format="json")

    assert (again.status_code, list(again.json()["errors"])) == (400, ["name"])
    assert (renamed.status_code, list(renamed.json()["errors"])) == (400, ["name"])


def test_change_is_refused_when_somebody_was_faster(api: APIClient, make_slo: Make) -> None:
    address = f"/api/slos/{make_slo().name}"

    first = api.patch(address, {"target": 0.99}, format="json", headers={"If-Match": '"1"'})
    second = api.patch(address, {"target": 0.98}, format="json", headers={"If-Match": '"1"'})

    assert (first.status_code, first["ETag"]) == (200, '"2"')
    assert (second.status_code, second.json()["type"]) == (412, "version-conflict")
    assert SLO.objects.get().target == 0.99


def test_change_leaves_what_the_evaluation_writes(api: APIClient, make_slo: Make) -> None:
    slo = make_slo()
    SLO.objects.update(status="critical", sli=0.9)

    api.patch(f"/api/slos/{slo.name}", {"description": "Charges."}, format="json")

    slo.refresh_from_db()
    assert (slo.description, slo.status, slo.sli) == ("Charges.", "critical", 0.9)


def test_list_is_filtered(api: APIClient, make_slo: Make) -> None:
    make_slo()
    make_slo("checkout", enabled=False)
    SLO.objects.filter(enabled=False).update(status="exhausted")

    def names(query: str) -> list[str]:
        return [row["name"] for row in api.get(f"/api/slos?{query}").json()["results"]]

    assert names("") == ["checkout-availability", "payment-processing-availability"]
    assert names("service=checkout") == names("status=exhausted") == ["checkout-availability"]
    assert names("enabled=true") == names("q=payment") == ["payment-processing-availability"]
    assert api.get("/api/slos?status=fine").json()["errors"].keys() == {"status"}


def test_only_an_slo_without_history_is_deleted(
    api: APIClient, make_slo: Make, lab_now: None
) -> None:
    made, counted = make_slo(), make_slo("checkout")
    counted.samples.create(at=counted.created_at, seconds=300, good=1, total=1, present=1,
                           counted_seconds=300)  # fmt: skip

    gone = api.delete(f"/api/slos/{made.name}")
    kept = api.delete(f"/api/slos/{counted.name}")

    assert (gone.status_code, kept.status_code) == (204, 409)
    assert kept.json()["type"] == "slo-has-history"
    assert list(SLO.objects.all()) == [counted]


def test_check_tells_the_last_hour_and_writes_nothing(api: APIClient, lab_now: None) -> None:
    given = {name: value for name, value in GIVEN.items() if name != "name"}

    found = api.post("/api/slos/check", given, format="json").json()

    assert (found["ok"], found["errors"], found["source"]) == (True, {}, "prometheus")
    assert found["sli"] == found["good"] / found["total"]
    assert found["burn_rate"] == pytest.approx((1 - found["sli"]) / 0.001)
    assert found["budget_burned"] == pytest.approx(found["burn_rate"] / 720)
    assert not SLO.objects.exists()


def test_check_tells_policies_that_never_fire(api: APIClient, lab_now: None) -> None:
    policy = {"severity": "page", "long_seconds": 3600, "short_seconds": 300, "factor": 14.4}

    found = api.post(
        "/api/slos/check", {**GIVEN, "target": 0.9, "policies": [policy]}, format="json"
    ).json()

    assert (found["ok"], list(found["errors"])) == (False, ["policies"])
    assert [one["never_fires"] for one in found["policies"]] == [True]


def test_files_of_one_and_of_all(api: APIClient, make_slo: Make) -> None:
    one, other = make_slo(), make_slo("checkout")

    alone = api.get(f"/api/slos/{one.name}/openslo.yaml")
    every = api.get("/api/slos/openslo.yaml")
    rules = api.get(f"/api/slos/rules.yaml?service={other.service.slug}")

    assert alone["Content-Type"] == "application/yaml; charset=utf-8"
    assert read(alone.text) == [one.definition()]
    assert read(every.text) == [other.definition(), one.definition()]
    assert 'sloth_id="checkout-checkout-availability"' in rules.text
    assert one.name not in rules.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ('"target": 1e999', "target"),
        ('"least_events": 1e999', "least_events"),
        ('"period": "9999Y", "rolling": false', "period"),
        ('"period": "99999w"', "period"),
        ('"time_zone": "Europe"', "time_zone"),
        ('"time_zone": "../etc/passwd"', "time_zone"),
        ('"anchor": "0001-01-01T00:00:00", "rolling": false', "anchor"),
        ('"labels": {"a": "\\u0000"}', "labels.a"),
        ('"labels": {"\\u0000": "a"}', "labels"),
        ('"labels": {"\\ud800": "a"}', "labels"),
        ('"indicator": {"kind": "ratio", "total": "x\\u0000", "bad": "y"}', "indicator.total"),
        ('"indicator": {"kind": "latency", "histogram": "x", "seconds": 1e999}',
         "indicator"),
        ('"indicator": {"kind": "threshold", "query": "x", "op": "lt", "value": 1e999}',
         "indicator"),
        ('"policies": [{"severity": "page", "long_seconds": 1e999, "short_seconds": 300, '
         '"factor": 2}]', "policies"),
        ('"policies": [{"severity": {}, "long_seconds": 3600, "short_seconds": 300, '
         '"factor": 2}]', "policies"),
        ('"policies": {}', "policies"),
        ('"indicator": []', "indicator"),
        ('"service": "\\u0000"', "service"),
    ],
)  # fmt: skip
def test_what_no_database_keeps_is_refused_by_field(
    api: APIClient, change: str, field: str
) -> None:
    whole = json.dumps(GIVEN)[:-1] + f", {change}}}"

    made = api.post("/api/slos", whole, content_type="application/json")
    checked = api.post("/api/slos/check", whole, content_type="application/json")

    assert (made.status_code, list(made.json()["errors"])) == (400, [field])
    assert list(checked.json()["errors"]) == [field]


@pytest.mark.parametrize(
    "query", ["to=0001-01-01T00:00:00Z", "step=nan", "step=inf", "step=0", "from=soon"]
)
def test_history_s_questions_that_mean_nothing_are_refused(
    api: APIClient, make_slo: Make, query: str
) -> None:
    answer = api.get(f"/api/slos/{make_slo().name}/history?{query}")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [query.partition("=")[0]])
