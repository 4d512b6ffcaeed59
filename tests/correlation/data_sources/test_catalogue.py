"""Rows of the catalogue and of the process environment, as the analysis asks them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from correlation.data_sources import breaker
from correlation.data_sources.catalogue import (
    admitted_sources,
    follow_environment,
    source_of,
    sources_for,
)
from correlation.gather import gather
from correlation.models import DataSource
from correlation.sources import FoundAs, Scope

pytestmark = pytest.mark.django_db

SCOPE = Scope(target=None, started_at=0.0, as_of=60.0)


def test_sources_are_those_of_the_environment_that_are_enabled(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SCRAPE_INTERVAL_SECONDS = 30.0
    monkeypatch.setenv("MIMIR_TOKEN", "Bearer abc")
    DataSource.objects.create(
        slug="mimir", kind="prometheus", url="http://mimir/prometheus/",
        tenant="shop", auth_variable="MIMIR_TOKEN",
    )  # fmt: skip
    DataSource.objects.create(slug="off", kind="loki", url="http://off", enabled=False)
    DataSource.objects.create(slug="other", kind="loki", url="http://other", environment="staging")

    (prometheus,) = sources_for(SCOPE)

    assert (prometheus.slug, prometheus.url) == ("mimir", "http://mimir/prometheus")
    assert prometheus.headers == {"X-Scope-OrgID": "shop", "Authorization": "Bearer abc"}
    assert prometheus.options == {"step_seconds": 30.0, "window_seconds": 120.0}


def test_sources_a_service_names_take_the_place_of_the_default_of_their_kind() -> None:
    for slug, kind in [("eu", "prometheus"), ("main", "prometheus"), ("loki", "loki")]:
        DataSource.objects.create(slug=slug, kind=kind, url="http://x", by_default=slug != "eu")
    found_as = {"pay": FoundAs(sources=("eu",)), "shop": FoundAs()}

    def asked(*services: str) -> list[str]:
        scope = replace(SCOPE, services=frozenset(services), found_as=found_as)
        return [source.slug for source in sources_for(scope)]

    assert asked("pay") == ["loki", "eu"]
    assert asked("pay", "shop") == ["loki", "eu", "main"]
    assert asked("shop") == ["loki", "main"]
    assert asked() == ["loki", "eu", "main"]


def test_named_source_that_is_disabled_is_not_replaced() -> None:
    DataSource.objects.create(slug="eu", kind="loki", url="http://x", enabled=False)
    DataSource.objects.create(slug="loki", kind="loki", url="http://x")
    scope = replace(SCOPE, services=frozenset({"pay"}), found_as={"pay": FoundAs(sources=("eu",))})

    assert sources_for(scope) == []


def test_source_says_which_variable_is_not_set() -> None:
    row = DataSource(slug="eu", kind="loki", url="http://x", auth_variable="NOT_SET_ANYWHERE")

    source = source_of(row)

    assert source.closed_because == (
        "the variable NOT_SET_ANYWHERE named by data source eu is not set"
    )


def test_source_never_carries_the_products_own_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "very secret")
    row = DataSource(slug="eu", kind="loki", url="http://x", auth_variable="SECRET_KEY")

    source = source_of(row)

    assert source.headers == {}
    assert source.closed_because.endswith("is a secret of the product itself")


def test_source_reads_its_secret_file_at_each_use(settings: Any, tmp_path: Path) -> None:
    settings.SECRETS_DIR = str(tmp_path)
    row = DataSource(slug="eu", kind="loki", url="http://x", auth_file="loki")
    seen = []
    for content in ("Basic YTpi\n", "bare-token\n"):
        (tmp_path / "loki").write_text(content)
        seen.append(source_of(row).headers)

    assert seen == [{"Authorization": "Basic YTpi"}, {"Authorization": "Bearer bare-token"}]


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("gone", "cannot be read: no such file or directory"),
        ("../outside", "does not lie under"),
        ("link", "does not lie under"),
        ("two-lines", "holds more than one line of plain text"),
        ("empty", "is empty"),
    ],
)
def test_source_says_why_a_secret_file_cannot_be_used(
    settings: Any, tmp_path: Path, file: str, why: str
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    settings.SECRETS_DIR = str(folder)
    (tmp_path / "outside").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "two-lines").write_text("a\nHost: b")
    (folder / "empty").write_text("")

    source = source_of(DataSource(slug="eu", kind="loki", url="http://x", auth_file=file))

    assert source.headers == {}
    assert source.closed_because.startswith(f"the file {file} named by data source eu {why}")


def test_analysis_says_that_a_source_may_not_be_asked() -> None:
    DataSource.objects.create(slug="loki", kind="loki", url="http://127.0.0.1:9")
    for _ in range(3):
        breaker.record(gather(SCOPE, admitted_sources(SCOPE))[1])

    telemetry, statuses = gather(SCOPE, admitted_sources(SCOPE))

    loki = next(status for status in statuses if status.slug == "loki")
    assert (loki.status, loki.reason, loki.queries) == ("unavailable", "closed", 0)
    assert loki.detail.startswith("circuit breaker open since ")
    assert f"Loki data unavailable: {loki.detail}" in telemetry.missing


def test_environment_says_how_to_ask_and_people_keep_their_options(settings: Any) -> None:
    settings.KUBECONFIG, settings.KUBERNETES_NAMESPACES = "/kube/config", ["shop"]
    settings.LOKI_URL = "http://ann:pw@loki:3100/x"
    settings.DATA_SOURCE_FIELDS = settings.DATA_SOURCE_FIELDS | {
        "loki": {"required": False, "tenant": "shop", "auth_variable": "LOKI_TOKEN"}
    }
    follow_environment()
    DataSource.objects.filter(slug="kubernetes").update(options={"concurrency": 2})
    follow_environment()

    kubernetes, loki = DataSource.objects.all()

    assert (kubernetes.kubeconfig, kubernetes.url, kubernetes.required) == (
        "/kube/config",
        "",
        True,
    )
    assert kubernetes.options == {"concurrency": 2, "namespaces": ["shop"]}
    assert (loki.url, loki.tenant, loki.auth_variable, loki.required) == (
        "http://loki:3100/x",
        "shop",
        "LOKI_TOKEN",
        False,
    )


def test_source_a_person_disabled_stays_disabled_when_its_variable_comes_back(
    settings: Any,
) -> None:
    settings.LOKI_URL = settings.TEMPO_URL = "http://x"
    follow_environment()
    DataSource.objects.filter(slug="loki").update(enabled=False)
    settings.LOKI_URL = settings.TEMPO_URL = ""
    follow_environment()
    gone = dict(DataSource.objects.values_list("slug", "enabled"))
    settings.LOKI_URL = settings.TEMPO_URL = "http://x"
    follow_environment()

    assert gone == {"loki": False, "tempo": False}
    assert dict(DataSource.objects.values_list("slug", "enabled")) == {
        "loki": False,
        "tempo": True,
    }


def test_environment_seeds_a_row_follows_changes_and_leaves_other_peoples_rows(
    settings: Any,
) -> None:
    DataSource.objects.create(slug="loki", kind="loki", url="http://mine")
    settings.PROMETHEUS_URL, settings.LOKI_URL = "http://one:9090", "http://default:3100"
    follow_environment()
    settings.PROMETHEUS_URL = "http://two:9090"
    follow_environment()

    rows = DataSource.objects.values_list("slug", "url", "origin", "enabled")

    assert list(rows) == [
        ("loki", "http://mine", "user", True),
        ("prometheus", "http://two:9090", "environment", True),
    ]

    settings.PROMETHEUS_URL = ""
    follow_environment()

    assert [source.slug for source in sources_for(SCOPE)] == ["loki"]
