"""How telemetry finds the services of the catalogue: `Service.selectors`, read and checked.

{"names": ["payments-v2"],                      what any source calls it (default: its slug)
 "prometheus": {"names": [...], "profile": "istio", "queries": {"error_ratio": "..."}},
 "loki": {"names": [...]}, "tempo": {"names": [...]},
 "kubernetes": {"namespace": "prod", "label_selector": "app=payments", "names": [...]},
 "sources": ["prometheus-eu"]}                  data sources to ask about it, by slug
"""

from __future__ import annotations

from collections.abc import Iterable

from correlation.sources import KIND_NAMES, FoundAs
from incidents.models import Service


def found_as(services: Iterable[Service]) -> dict[str, FoundAs]:
    """By slug, for every service of one environment."""
    return {service.slug: _found_as(service) for service in services}


def _found_as(service: Service) -> FoundAs:
    given = service.selectors or {}
    names = {"": tuple(given.get("names", ()))}
    names |= {kind: tuple(given.get(kind, {}).get("names", ())) for kind in KIND_NAMES}
    prometheus, kubernetes = given.get("prometheus", {}), given.get("kubernetes", {})
    return FoundAs(
        names={kind: found for kind, found in names.items() if found},
        namespace=kubernetes.get("namespace") or service.namespace,
        label_selector=kubernetes.get("label_selector", ""),
        profile=prometheus.get("profile", ""),
        queries=prometheus.get("queries", {}),
        sources=tuple(given.get("sources", ())),
    )
