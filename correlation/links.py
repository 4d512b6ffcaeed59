"""Links that open a piece of evidence in the tool it came from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings

from correlation.models import DataSource
from correlation.telemetry import Evidence
from incidents.models import Incident


def metric_pages() -> dict[str, str]:
    """Base URL of each Prometheus' own pages by data source slug, without credentials.

    The lab's stand-in has no pages and is left out.
    """
    rows = DataSource.objects.filter(kind=DataSource.Kind.PROMETHEUS)
    urls = {"prometheus": settings.PROMETHEUS_URL, **dict(rows.values_list("slug", "url"))}
    lab = settings.LAB_URL
    return {
        slug: _public(url.rstrip("/"))
        for slug, url in urls.items()
        if url and not (lab and url.startswith(lab))
    }


def links_for(
    evidence: Evidence, incident: Incident, pages: Mapping[str, str]
) -> list[dict[str, str]]:
    """[{title, url}]: a metric's query in the graph page of the Prometheus that answered it."""
    base = pages.get(evidence.source)
    if evidence.type != "metric" or not evidence.query or not base:
        return []
    end = incident.started_at + timedelta(minutes=15)
    parameters = {
        "g0.expr": evidence.query,
        "g0.tab": "0",
        "g0.range_input": "1h",
        "g0.end_input": end.strftime("%Y-%m-%d %H:%M:%S"),
    }
    return [{"title": "Open in Prometheus", "url": f"{base}/graph?{urlencode(parameters)}"}]


def _public(url: str) -> str:
    """The URL without the credentials it may carry: links are for every viewer."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
