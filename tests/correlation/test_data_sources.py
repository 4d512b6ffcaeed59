"""Rows of the catalogue and of the process environment, as the analysis asks them."""

from __future__ import annotations

from typing import Any

import pytest

from correlation.data_sources import follow_environment, sources_for
from correlation.models import DataSource
from correlation.sources import Scope

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
