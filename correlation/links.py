"""Links that open a piece of evidence in the tool it came from."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings

from correlation.telemetry import Evidence
from incidents.models import Incident


def links_for(evidence: Evidence, incident: Incident) -> list[dict[str, str]]:
    """[{title, url}] for a metric: the query in Prometheus' own graph page.

    Only for the Prometheus of PROMETHEUS_URL and not for the lab's stand-in, which has no
    pages.
    """
    base = settings.PROMETHEUS_URL
    in_lab = bool(settings.LAB_URL) and base.startswith(settings.LAB_URL)
    if evidence.type != "metric" or not evidence.query or not base or in_lab:
        return []
    end = incident.started_at + timedelta(minutes=15)
    parameters = {
        "g0.expr": evidence.query,
        "g0.tab": "0",
        "g0.range_input": "1h",
        "g0.end_input": end.strftime("%Y-%m-%d %H:%M:%S"),
    }
    return [{"title": "Open in Prometheus", "url": f"{base}/graph?{urlencode(parameters)}"}]
