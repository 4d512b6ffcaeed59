"""/api/slos/import: all of a file or nothing, refusals by path and line, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Role
from incidents import demo
from slos.burn import Policy
from slos.models import SLO
from slos.stored import policy_json
from tests.incidents.conftest import make_person

Make = Callable[..., SLO]
pytestmark = pytest.mark.django_db


@pytest.fixture
def api(db: None) -> APIClient:
    demo.seed()
    client = APIClient()
    client.force_authenticate(make_person("ada", Role.ADMIN))
    return client


def send(api: APIClient, text: str, query: str = "") -> Any:
    return api.post(f"/api/slos/import{query}", text, content_type="application/yaml")


def test_what_was_exported_is_imported_as_it_was(api: APIClient, make_slo: Make) -> None:
    make_slo(display_name="Payments", labels={"team": "money"}, period="1M", rolling=False,
             time_zone="Europe/Berlin", least_events=20)  # fmt: skip
    make_slo("checkout", policies=[policy_json(Policy("page", 3600, 300, 10))],
             indicator={"kind": "latency", "histogram": "x", "seconds": 0.2})  # fmt: skip
    make_slo("catalogue", target=0.95,
             indicator={"kind": "threshold", "query": "up", "op": "gte", "value": 1.0})  # fmt: skip
    text = api.get("/api/slos/openslo.yaml").text
    before = [slo.definition() for slo in SLO.objects.all()]

    kept = send(api, text).json()
    SLO.objects.all().delete()
    made = send(api, text).json()

    assert [one["act"] for one in kept] == ["keep"] * 3
    assert [one["act"] for one in made] == ["create"] * 3
    assert [slo.definition() for slo in SLO.objects.all()] == before
    assert api.get("/api/slos/openslo.yaml").text == text


def test_dry_run_tells_what_would_change_and_writes_nothing(api: APIClient, make_slo: Make) -> None:
    slo = make_slo()
    text = api.get("/api/slos/openslo.yaml").text.replace("target: 0.999", "target: 0.99")

    (tried,) = send(api, text, "?dry_run=true").json()
    slo.refresh_from_db()
    untouched = slo.target
    (done,) = api.post("/api/slos/import", {"openslo": text}, format="json").json()
    slo.refresh_from_db()

    assert tried == done == {
        "name": slo.name, "act": "change", "line": 2, "changed": ["target"], "warnings": [],
    }  # fmt: skip
    assert (untouched, slo.target, slo.version) == (0.999, 0.99, 2)


def test_one_fault_keeps_the_whole_file_out(api: APIClient, make_slo: Make) -> None:
    make_slo()
    make_slo("checkout")
    text = api.get("/api/slos/openslo.yaml").text
    SLO.objects.all().delete()
    broken = text.replace("service: payment-processing", "service: nowhere")
    line = broken[: broken.index("service: nowhere")].count("\n") + 1

    refused = send(api, broken)

    body = refused.json()
    assert (refused.status_code, body["type"]) == (400, "openslo-refused")
    assert body["refusals"] == [
        {
            "path": "spec.service",
            "line": line,
            "why": "There is no service 'nowhere' in the catalogue.",
        }
    ]
    assert not SLO.objects.exists()


def test_what_we_do_not_support_is_refused_by_path_and_line(api: APIClient, make_slo: Make) -> None:
    make_slo()
    text = api.get("/api/slos/openslo.yaml").text.replace("Occurrences", "Timeslices")
    line = text[: text.index("budgetingMethod")].count("\n") + 1

    (refusal,) = send(api, text).json()["refusals"]

    assert refusal == {
        "path": "spec.budgetingMethod",
        "line": line,
        "why": "only Occurrences is supported.",
    }


def test_source_s_refusal_names_the_line_of_its_slo(
    api: APIClient, make_slo: Make, lab_now: None
) -> None:
    make_slo("checkout")
    make_slo(name="nothing", indicator={"kind": "ratio", "total": "no_total", "bad": "no_bad"})
    text = api.get("/api/slos/openslo.yaml").text
    SLO.objects.all().delete()

    refused = send(api, text)
    accepted = send(api, text, "?accept_no_data=true")

    (refusal,) = refused.json()["refusals"]
    assert (refusal["path"], refusal["why"]) == (
        "spec.indicator",
        "total: No data in the last hour.",
    )
    assert [one["name"] for one in accepted.json()] == ["checkout-availability", "nothing"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "openslo"), ("kind: [", "file"), ("apiVersion: openslo/v1\nkind: Service\n"
      "metadata: {name: a}\nspec: {}\n", "file")],
)  # fmt: skip
def test_file_without_slos_is_refused(api: APIClient, text: str, why: str) -> None:
    refused = send(api, text)

    assert (refused.status_code, list(refused.json()["errors"])) == (400, [why])
