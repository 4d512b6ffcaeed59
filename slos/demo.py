"""The demo's SLOs: what the shop's teams would have promised."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from incidents.models import Service
from incidents.models.catalogue import PRODUCTION
from slos.definition import usual_policies
from slos.models import SLO
from slos.stored import period, policy_json

PAYMENTS = "payment-processing"
LATENCY = f'http_request_duration_seconds{{service="{PAYMENTS}"}}'


def _answered(slug: str) -> dict[str, str]:
    requests = f'http_requests_total{{service="{slug}"'
    return {"kind": "ratio", "total": f"{requests}}}", "bad": f'{requests},status=~"5.."}}'}


def _called(labels: str, status: str) -> dict[str, str]:
    """Calls as the caller saw them end, timeouts and refused connections included."""
    calls = f"client_requests_total{{{labels}"
    return {"kind": "ratio", "total": f"{calls}}}", "bad": f"{calls},{status}}}"}


SLOS: tuple[tuple[str, str, str, float, dict[str, Any], str], ...] = (
    (
        "payment-availability",
        "Payment availability",
        PAYMENTS,
        0.999,
        _answered(PAYMENTS),
        "Charges are answered without a server error.",
    ),
    (
        "payment-latency",
        "Payment latency, p95 under 200 ms",
        PAYMENTS,
        0.95,
        {"kind": "latency", "histogram": LATENCY, "seconds": 0.2},
        "95 of 100 charges are answered within 200 ms.",
    ),
    (
        "payment-error-rate",
        "Payment error rate under 0.1 %",
        PAYMENTS,
        0.999,
        _called(f'peer="{PAYMENTS}"', 'status!="ok"'),
        "As checkout sees its calls end: errors, timeouts and refused connections count.",
    ),
    (
        "payment-durability",
        "Payment durability",
        PAYMENTS,
        0.9999,
        _called(f'service="{PAYMENTS}",peer="postgres"', 'status!="ok"'),
        "What is written to the ledger is written.",
    ),
    (
        "checkout-availability",
        "Checkout availability",
        "checkout",
        0.995,
        _answered("checkout"),
        "Orders are answered without a server error.",
    ),
    (
        "frontend-availability",
        "Storefront availability",
        "frontend",
        0.995,
        _answered("frontend"),
        "Pages are answered without a server error.",
    ),
)


@transaction.atomic
def seed() -> None:
    """Create what is missing; what a user has edited or disabled since is left alone."""
    services = {row.slug: row for row in Service.objects.filter(environment=PRODUCTION)}
    for name, title, slug, target, indicator, description in SLOS:
        if slug not in services or SLO.objects.filter(name=name).exists():
            continue
        policies = usual_policies(period("30d", True, "UTC", ""), target)
        row = SLO(
            name=name,
            display_name=title,
            description=description,
            service=services[slug],
            indicator=indicator,
            target=target,
            least_events=20.0,
            policies=[policy_json(policy) for policy in policies],
        )
        row.full_clean()
        row.save()
