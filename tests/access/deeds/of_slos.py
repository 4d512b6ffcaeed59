"""Deeds at SLOs and their corrections."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from slos import corrections
from slos.burn import workbook_policies
from slos.exporting import exported
from slos.models import SLO
from slos.stored import policy_json
from tests.access.deeds.deed import Deed, Parts
from tests.access.deeds.of_incidents import service

API = "/api/slos/{slo}"
INDICATOR = {"kind": "ratio", "total": "requests_total", "bad": "failed_total"}


def made() -> SLO:
    row = SLO(
        name="availability",
        service=service(),
        indicator=INDICATOR,
        target=0.999,
        policies=[policy_json(policy) for policy in workbook_policies()],
    )
    row.full_clean()
    row.save()
    return row


def an_slo() -> Parts:
    row = made()
    return {"slo": row.name, "name": row.name, "version": row.version}


def as_file() -> Parts:
    text = exported([made()], "openslo")
    SLO.objects.all().delete()
    return {"openslo": text}


def corrected() -> Parts:
    now = timezone.now()
    row = made()
    correction = corrections.add(
        row, author=None, starts_at=now - timedelta(hours=1), ends_at=now, reason="A test"
    )
    return {"slo": row.name, "name": row.name, "correction": correction.pk}


def typed() -> Parts:
    return {"service": service().pk}


TYPED = {
    "name": "errors", "service": "$service", "kind": "ratio", "counted": "bad",
    "part": "failed_total", "total": "requests_total", "target_percent": "99.9",
}  # fmt: skip
LOCAL = {"starts_at": "2026-01-01T00:00", "ends_at": "2026-01-01T01:00"}
SPAN = {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-01T01:00:00Z"}
WRITTEN = {"name": "errors", "service": "$slug", "indicator": INDICATOR, "target": 0.99}
DEEDS = (
    Deed("POST", "/api/slos", "slo.created", lambda: {"slug": service().slug}, WRITTEN),
    Deed("POST", "/api/slos/import", "slo.created", as_file,
         {"openslo": "$openslo", "accept_no_data": True}),
    Deed("PATCH", API, "slo.changed", an_slo, {"target": 0.99}),
    Deed("DELETE", API, "slo.deleted", an_slo),
    Deed("POST", f"{API}/corrections", "slo_correction.created", an_slo,
         {**SPAN, "reason": "Load test"}),
    Deed("POST", f"{API}/corrections/{{correction}}/withdraw", "slo_correction.changed",
         corrected, {"reason": "It was no test"}),
    Deed("POST", "/slos/new", "slo.created", typed, TYPED),
    Deed("POST", "/slos/import", "slo.created", as_file, {"openslo": "$openslo", "import": "1"}),
    Deed("POST", "/slos/{name}/edit", "slo.changed", an_slo, {"target_percent": "99"}),
    Deed("POST", "/slos/{name}/switch", "slo.changed", an_slo, {"enabled": "0"}),
    Deed("POST", "/slos/{name}/corrections", "slo_correction.created", an_slo,
         {**LOCAL, "reason": "Load test"}),
    Deed("POST", "/slos/{name}/corrections/{correction}/withdraw", "slo_correction.changed",
         corrected, {"reason": "It was no test"}),
)  # fmt: skip
