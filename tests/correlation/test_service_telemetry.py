from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from rest_framework.test import APIClient

from accounts.models import Role
from correlation.models import DataSource
from incidents.models import Service
from tests.incidents.conftest import make_person

GOOD = {
    "names": ["payments-v2"],
    "prometheus": {
        "names": ["payments"],
        "profile": "istio",
        "queries": {"error_ratio": 'sum(rate(x{app=~"$service",$filter}[$window]))'},
    },
    "loki": {"names": ["pay"]},
    "tempo": {"names": ["pay"]},
    "kubernetes": {"namespace": "prod", "label_selector": "app=payments,tier in (a, b)"},
    "sources": ["prometheus-eu"],
}
WRONG: list[tuple[Any, str, str]] = [
    ([], "selectors", "Give an object"),
    ({"promtheus": {}}, "selectors.promtheus", "there are: names, sources, prometheus"),
    ({"names": "payments"}, "selectors.names", "Give a list"),
    ({"loki": "pay"}, "selectors.loki", "Give an object"),
    ({"loki": {"profile": "x"}}, "selectors.loki.profile", "there are: names"),
    ({"prometheus": {"profile": "x"}}, "selectors.prometheus.profile", "no query profile is"),
    ({"prometheus": {"queries": []}}, "selectors.prometheus.queries", "Give an object"),
    (
        {"prometheus": {"queries": {"error_ratio": "rate("}}},
        "selectors.prometheus.queries.error_ratio",
        "does not parse",
    ),
    (
        {"prometheus": {"queries": {"error_ratio": "x[$rate]"}}},
        "selectors.prometheus.queries.error_ratio",
        "unknown placeholder $rate",
    ),
    (
        {"prometheus": {"queries": {"errors": "x"}}},
        "selectors.prometheus.queries.errors",
        "not a known signal",
    ),
    (
        {"kubernetes": {"label_selector": "a in b"}},
        "selectors.kubernetes.label_selector",
        "cannot be read",
    ),
    ({"kubernetes": {"namespace": 3}}, "selectors.kubernetes.namespace", "Give text"),
    ({"sources": ["nope"]}, "selectors.sources", "There is no data source nope in production"),
]
IDS = [path for _, path, _ in WRONG]


@pytest.fixture
def api(db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person("ada", Role.ADMIN))
    DataSource.objects.create(slug="prometheus-eu", kind="prometheus", url="http://p.test")
    return client


def save(api: APIClient, selectors: Any) -> Any:
    body = {"slug": "payments", "name": "Payments", "selectors": selectors}
    return api.post("/api/services", body, format="json")


def test_selectors_that_can_be_used_are_saved(api: APIClient) -> None:
    answer = save(api, GOOD)

    assert answer.status_code == 201, answer.json()
    assert Service.objects.get(slug="payments").selectors == GOOD


@pytest.mark.parametrize(("selectors", "path", "said"), WRONG, ids=IDS)
def test_selectors_that_cannot_be_used_are_refused_by_path(
    api: APIClient, selectors: Any, path: str, said: str
) -> None:
    answer = save(api, selectors)

    assert answer.status_code == 400
    assert path in answer.content.decode()
    assert said in answer.content.decode()
    assert not Service.objects.filter(slug="payments").exists()


@pytest.mark.parametrize(("selectors", "path", "said"), WRONG, ids=IDS)
def test_admin_refuses_the_same(db: None, selectors: Any, path: str, said: str) -> None:
    service = Service(slug="payments", name="Payments", selectors=selectors)

    with pytest.raises(ValidationError) as caught:
        service.clean()

    told = caught.value.message_dict["selectors"][0]
    assert said in told
    assert path.removeprefix("selectors").lstrip(".") in told


def test_change_of_selectors_is_checked_in_the_environment_of_the_service(api: APIClient) -> None:
    service = Service.objects.create(slug="p", name="P", environment="staging")

    answer = api.patch(
        f"/api/services/{service.pk}", {"selectors": {"sources": ["prometheus-eu"]}}, format="json"
    )

    assert answer.status_code == 400
    assert "There is no data source prometheus-eu in staging" in answer.content.decode()
