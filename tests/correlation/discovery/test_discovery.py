"""From sightings to proposals: one service by many names, roles, add-ons, existing rows."""

from __future__ import annotations

import pytest

from correlation.discovery import names, propose, roles
from correlation.discovery.addons import is_addon, is_system_namespace
from correlation.discovery.catalogue import apply, known_calls, known_services
from correlation.discovery.sightings import Call, Known, Seen, Sighting
from incidents.models import Service, ServiceDependency


def seen(kind: str, *sightings: str, namespace: str = "") -> Seen:
    return Seen(tuple(Sighting(kind, kind, name, "seen", namespace) for name in sightings))


def calls(kind: str, *pairs: tuple[str, str]) -> Seen:
    return Seen(calls=tuple(Call(kind, kind, *pair, "calls") for pair in pairs))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("payment_service", "payment-service"),
        ("Payment-Service", "payment-service"),
        ("payment-service.prod", "payment-service"),
        ("prod/payment-service", "payment-service"),
        ("payment-service.prod.svc.cluster.local:8080", "payment-service"),
        ("http://payment-service:8080", "payment-service"),
        ("payment.service", "payment-service"),
    ],
)
def test_names_of_one_service_have_one_key(name: str, key: str) -> None:
    assert names.key(name, {"prod"}) == key


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("10.0.3.7", True),
        ("10.0.3.7:5432", True),
        ("[fd00::1]:80", True),
        ("localhost:3000", True),
        ("payments", False),
        ("payments:8080", False),
    ],
)
def test_addresses_name_nobody(name: str, expected: bool) -> None:
    assert names.is_address(name) is expected


@pytest.mark.parametrize(
    ("images", "systems", "called", "expected"),
    [
        (["registry:5000/bitnami/postgresql:16"], [], ["orders"], "database"),
        (["quay.io/x/redis@sha256:12"], [], ["sessions"], "cache"),
        (["oliver006/redis_exporter:v1"], [], ["redis-exporter"], "service"),
        ([], ["mysql"], ["orders"], "database"),
        ([], ["kafka"], ["events"], "queue"),
        ([], [], ["orders-db-primary"], "database"),
        ([], [], ["kafka-consumer"], "service"),
        ([], [], ["rabbitmq"], "queue"),
        ([], [], ["checkout"], "service"),
    ],
)
def test_role_is_guessed_from_image_then_attribute_then_name(
    images: list[str], systems: list[str], called: list[str], expected: str
) -> None:
    assert roles.guess(images, systems, called)[0] == expected


def test_addons_are_told_from_services() -> None:
    assert [is_addon(name) for name in ("kube-state-metrics", "otel-collector", "payments")] == [
        True, True, False,
    ]  # fmt: skip
    assert [is_system_namespace(name) for name in ("kube-system", "openshift-dns", "shop")] == [
        True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["unknown_service", "unknown-service", "unknown-service-java"])
def test_what_names_no_service_is_left_out(name: str) -> None:
    assert is_addon(name)


def test_names_that_differ_by_source_are_one_service_with_selectors() -> None:
    found = propose(
        [
            seen("kubernetes", "payment-service", namespace="prod"),
            seen("prometheus", "payment-service.prod"),
            seen("loki", "payment_service"),
            seen("tempo", "payment-service"),
        ]
    )

    (service,) = found.services
    assert (service.slug, service.name, service.namespace) == (
        "payment-service", "Payment service", "prod",
    )  # fmt: skip
    assert service.selectors == {
        "prometheus": {"names": ["payment-service.prod"]},
        "loki": {"names": ["payment_service"]},
    }


def test_name_that_is_no_slug_is_selected_for_every_source() -> None:
    found = propose([seen("tempo", "PaymentService"), seen("loki", "PaymentService")])

    (service,) = found.services
    assert (service.slug, service.selectors) == (
        "paymentservice", {"names": ["PaymentService"]},
    )  # fmt: skip


def test_namesakes_in_two_namespaces_stay_apart_and_bare_names_go_to_neither() -> None:
    labelled = Sighting("kubernetes", "k8s", "api", "seen", "billing", label_selector="app=api")

    found = propose(
        [
            Seen((labelled,)),
            seen("kubernetes", "api", namespace="shop"),
            seen("prometheus", "api.shop"),
            seen("loki", "api"),
        ]
    )

    assert [(one.slug, one.namespace) for one in found.services] == [
        ("api.billing", "billing"),
        ("api.shop", "shop"),
    ]
    assert [one.selectors for one in found.services] == [
        {"kubernetes": {"label_selector": "app=api"}},
        {"kubernetes": {"names": ["api"]}},
    ]
    assert found.notes == ("api of loki may be any of: billing, shop; it was given to none",)


def test_calls_are_matched_to_services_and_strangers_become_services() -> None:
    found = propose(
        [
            seen("kubernetes", "checkout", namespace="shop"),
            calls(
                "tempo",
                ("checkout", "payments.shop.svc.cluster.local:8080"),
                ("checkout", "api.stripe.com"),
                ("checkout", "10.1.2.3:80"),
                ("checkout", "checkout"),
            ),
        ]
    )

    assert [(one.slug, one.role) for one in found.services] == [
        ("api.stripe.com", "external"),
        ("checkout", "service"),
        ("payments", "service"),
    ]
    assert [(one.caller, one.callee) for one in found.calls] == [
        ("checkout", "api.stripe.com"),
        ("checkout", "payments"),
    ]


def test_addons_are_left_out_by_name() -> None:
    found = propose([seen("prometheus", "prometheus", "node-exporter", "orders")])

    assert [one.slug for one in found.services] == ["orders"]
    assert found.left_out == ("node-exporter", "prometheus")


def test_namespaces_limit_the_proposals_to_what_runs_there_and_whom_it_calls() -> None:
    found = propose(
        [
            seen("kubernetes", "checkout", namespace="shop"),
            seen("kubernetes", "ledger", namespace="bank"),
            seen("prometheus", "checkout", "ledger", "stranger"),
            calls("tempo", ("checkout", "mysql"), ("ledger", "vault")),
        ],
        only_namespaces=["shop"],
    )

    assert [one.slug for one in found.services] == ["checkout", "mysql"]


def test_existing_service_keeps_its_values_and_is_filled_where_empty() -> None:
    known = [
        Known("payments", names={"prometheus": ("payments-v2",)}, name="Payments"),
        Known("cart", namespace="old", names={}, name="Cart"),
    ]

    found = propose(
        [
            seen("kubernetes", "payments", "cart", namespace="shop"),
            seen("prometheus", "payments-v2", "Payments"),
            seen("tempo", "Payments"),
            seen("loki", "Cart"),
        ],
        known,
    )

    by_slug = {one.slug: one for one in found.services}
    assert sorted(by_slug) == ["cart", "cart.shop", "payments"]
    assert by_slug["payments"].fills == {
        "namespace": "shop",
        "selectors": {"tempo": {"names": ["Payments"]}},
    }


def test_delivery_of_a_queue_does_not_turn_the_catalogues_call_round() -> None:
    known = [Known("mails"), Known("events", role="queue")]

    found = propose([calls("tempo", ("events", "mails"))], known, {("mails", "events")})

    assert found.calls == ()
    assert found.notes == (
        "events -> mails is the catalogue's mails -> events seen from the queue's side; "
        "it was left out",
    )


@pytest.mark.django_db
def test_apply_writes_once_and_leaves_what_people_wrote() -> None:
    mine = Service.objects.create(
        slug="payments", name="Our payments", role="external", selectors={"loki": {"names": ["p"]}}
    )
    shown = [
        Seen(
            (
                Sighting("kubernetes", "k8s", "payments", "Deployment payments", "shop"),
                Sighting("kubernetes", "k8s", "orders-db", "StatefulSet", "shop", ("mysql:8",)),
                Sighting("prometheus", "prom", "Payments", "metric request_rate"),
            )
        ),
        calls("prometheus", ("Payments", "orders-db")),
    ]

    def proposed() -> object:
        environment = "production"
        return apply(
            propose(shown, known_services(environment), known_calls(environment)), environment
        )

    first, second = proposed(), proposed()

    assert vars(first) == {"services": 1, "filled": 1, "dependencies": 1, "refused": ()}
    assert vars(second) == {"services": 0, "filled": 0, "dependencies": 0, "refused": ()}
    mine.refresh_from_db()
    assert (mine.name, mine.role, mine.namespace) == ("Our payments", "external", "shop")
    assert mine.selectors == {"loki": {"names": ["p"]}, "prometheus": {"names": ["Payments"]}}
    made = Service.objects.get(slug="orders-db")
    assert (made.role, made.namespace, made.selectors) == ("database", "shop", {})
    assert ServiceDependency.objects.get().source == "discovered"
