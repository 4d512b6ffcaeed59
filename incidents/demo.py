"""The demo's catalogue: the lab's shop, as its team would have registered it."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from incidents.models import NotificationChannel, NotificationRule, Service, ServiceDependency
from incidents.notify.events import Event, Kind

NAMESPACE = "shop"
SERVICES: tuple[tuple[str, str, str, int, str, int | None, str | None], ...] = (
    ("frontend", "Storefront", "service", 1, "web", 15234, "45000"),
    ("checkout", "Checkout", "service", 1, "orders", 4100, "38000"),
    ("cart", "Cart", "service", 2, "orders", 6200, None),
    ("catalogue", "Catalogue", "service", 2, "web", 14800, None),
    ("payment-processing", "Payment processing", "service", 1, "payments", 15234, "45000"),
    ("inventory", "Inventory", "service", 2, "fulfilment", None, "12000"),
    ("notifications", "Notifications", "service", 3, "fulfilment", None, None),
    ("postgres", "PostgreSQL", "database", 1, "platform", None, None),
    ("redis", "Redis", "cache", 2, "platform", None, None),
    ("queue", "Message queue", "queue", 2, "platform", None, None),
)
DEPENDENCIES = (
    ("frontend", "catalogue"),
    ("frontend", "cart"),
    ("frontend", "checkout"),
    ("checkout", "cart"),
    ("checkout", "payment-processing"),
    ("checkout", "inventory"),
    ("checkout", "queue"),
    ("notifications", "queue"),
    ("payment-processing", "postgres"),
    ("inventory", "postgres"),
    ("catalogue", "postgres"),
    ("catalogue", "redis"),
    ("cart", "redis"),
)


INBOX = "lab inbox"


@transaction.atomic
def seed_inbox(url: str) -> None:
    """A channel that leads to the lab, and a rule for it; a removed one is not made again.

    The lab's port is another at each start.
    """
    known = NotificationChannel.objects.filter(name=INBOX)
    if known.exists():
        known.update(url=url, failures=0, paused_until=None)
        return
    channel = NotificationChannel.objects.create(name=INBOX, kind=Kind.WEBHOOK, url=url)
    rule = NotificationRule.objects.create(
        name="Everything to the lab's inbox", events=[event.value for event in Event]
    )
    rule.channels.set([channel])


@transaction.atomic
def seed() -> None:
    """Create what is missing; what a user has edited since is left alone."""
    made: dict[str, Service] = {}
    for slug, name, role, tier, team, users, revenue in SERVICES:
        made[slug], _ = Service.objects.get_or_create(
            slug=slug,
            environment="production",
            defaults={
                "name": name,
                "role": role,
                "tier": tier,
                "team": team,
                "namespace": NAMESPACE,
                "users": users,
                "revenue_per_hour": Decimal(revenue) if revenue else None,
                "runbook_url": f"https://runbooks.example.com/{slug}",
            },
        )
    for caller, callee in DEPENDENCIES:
        ServiceDependency.objects.get_or_create(caller=made[caller], callee=made[callee])
