"""The SLOs of a service on its own page."""

from __future__ import annotations

from typing import Any

from incidents.catalogue.sections import Section
from incidents.models import Service
from slos.models import SLO
from slos.pages.overview import rows_of, worst_first


def _context(service: Service) -> dict[str, Any]:
    slos = worst_first(SLO.objects.filter(service=service).select_related("service"))
    return {"rows": rows_of(list(slos))}


SECTION = Section("slos", "slos/_of_service.html", _context)
