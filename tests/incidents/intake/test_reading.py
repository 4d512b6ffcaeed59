"""Services and severities read off labels, by tables."""

from __future__ import annotations

from typing import Any

import pytest

from incidents.intake.placing import Told, read
from incidents.intake.reading import (
    SHIPPED,
    Reading,
    key_name,
    service_name,
    severity_of,
    slug_of,
    title_of,
)
from incidents.intake.steps import BadStep, parse_step
from incidents.models import AlertReading
from tests.incidents.conftest import MakeService


def reading(**columns: Any) -> Reading:
    empty: dict[str, Any] = {
        "steps": (),
        "names": {},
        "severity_labels": (),
        "severity_values": {},
        "severity_default": "",
    }
    return Reading(**{**empty, **columns})


@pytest.mark.parametrize(
    ("steps", "labels", "named"),
    [
        (("service", "app"), {"app": "a", "service": "s"}, "s"),
        (("service", "app"), {"app": "a", "service": ""}, "a"),
        (("namespace/deployment",), {"namespace": "shop", "deployment": "cart"}, "shop/cart"),
        (("namespace/deployment", "job"), {"namespace": "shop", "job": "j"}, "j"),
        ((r"pod ~ (.+)-[a-z0-9]+-[a-z0-9]{5}",), {"pod": "cart-7d9f-x2x2x"}, "cart"),
        ((r"pod ~ (.+)-[a-z0-9]+-[a-z0-9]{5}",), {"pod": "cart"}, None),
        (("pod ~ cart.*",), {"pod": "cart-1"}, "cart-1"),
        (("pod ~ (cart)?.*",), {"pod": "other"}, None),
        (("nothing",), {"service": "s"}, None),
        (("service", "app"), {"app": "a", "service": "  "}, "a"),
        (("service",), {"service": " cart\n"}, "cart"),
    ],
)
def test_service_is_the_first_step_that_applies(
    steps: tuple[str, ...], labels: dict[str, str], named: str | None
) -> None:
    assert service_name(labels, reading(steps=steps)) == named


@pytest.mark.parametrize("value", ["Pay-SVC", "pay-svc"])
def test_service_names_are_translated(value: str) -> None:
    names = {"pay-svc": "payment"}

    assert service_name({"app": value}, reading(steps=("app",), names=names)) == "payment"


@pytest.mark.parametrize(
    "text", ["", "a b", "~ x", "pod ~", "pod ~ (a)(b)", "pod ~ (a+)+b+(a+)+c", "/a", "pod ~ ("]
)
def test_a_step_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(BadStep):
        parse_step(text)


@pytest.mark.parametrize(
    ("labels", "severity", "why"),
    [
        ({"severity": "Page"}, "critical", ""),
        ({"priority": "warn"}, "medium", ""),
        ({"severity": "info", "priority": "page"}, "low", ""),
        ({"severity": "", "priority": " page "}, "critical", ""),
        ({"severity": "p0"}, "high", "The severity map does not know severity 'p0'."),
        ({}, "high", "The alert has none of the severity map's labels."),
    ],
)
def test_severity_is_read_through_the_map(labels: dict[str, str], severity: str, why: str) -> None:
    found = severity_of(labels, SHIPPED)

    assert (found.severity, found.why) == (severity, why)


def test_a_sources_reading_goes_before_the_installations() -> None:
    own = reading(steps=("team/app",), names={"x": "own"}, severity_values={"p1": "critical"})

    both = own.over(SHIPPED)

    assert both.steps == ("team/app", *SHIPPED.steps)
    assert severity_of({"severity": "P1"}, both).severity == "critical"
    assert severity_of({"severity": "odd"}, both).severity == "high"


@pytest.mark.parametrize(
    ("named", "slug"),
    [("Checkout", "checkout"), ("shop/cart", "shop-cart"), ("/ü/", ""), ("a" * 200, "a" * 100)],
)
def test_slug_of_a_name(named: str, slug: str) -> None:
    assert slug_of(named) == slug


@pytest.mark.parametrize(
    ("named", "in_keys"),
    [
        ("Ledger-API", "ledger-api"),
        ("LEDGER API", "ledger-api"),
        ("shop/cart", "shop-cart"),
        ("***", "***"),
        ("Платежи-1", "платежи-1"),
        ("A" * 101, "a" * 101),
    ],
)
def test_spellings_of_an_unknown_service_share_a_key(named: str, in_keys: str) -> None:
    assert key_name(named) == in_keys


@pytest.mark.parametrize(
    ("annotations", "title"),
    [
        ({"summary": " Pool is full\n"}, "Pool is full"),
        ({"summary": " \n", "title": "Pool"}, "Pool"),
        ({"summary": " "}, "A on cart"),
    ],
)
def test_title_is_what_the_alert_says(annotations: dict[str, str], title: str) -> None:
    assert title_of("A", annotations, "cart") == title


def told(source: str = "prom", **labels: str) -> Told:
    return Told(labels, "A", source, "production")


def test_rows_hold_for_their_source_or_for_all(db: None) -> None:
    AlertReading.objects.create(scope="", service_steps=["team"], severity_default="low")
    AlertReading.objects.create(
        scope="grafana",
        service_steps=["folder"],
        severity_labels=["p"],
        severity_values={"P0": "high"},
    )

    found = read([told(team="t", service="s"), told("grafana", team="t", folder="f", p="p0")])

    assert [one.named for one in found] == ["t", "f"]
    assert [one.severe.severity for one in found] == ["low", "high"]


@pytest.mark.parametrize(
    ("value", "slug"),
    [
        ("Cart", "cart"),
        ("shop/Cart", "cart"),
        ("other/cart", None),
        ("shop/web", "shop-web"),
        ("unknown", None),
    ],
)
def test_the_catalogue_is_asked_for_what_a_name_may_mean(
    make_service: MakeService, value: str, slug: str | None
) -> None:
    make_service("cart", namespace="shop")
    make_service("shop-web")

    (found,) = read([told(service=value)])

    assert (found.service.slug if found.service else None) == slug
    assert found.subject.service == (slug or key_name(value))
    assert (found.missing == "") == (slug is not None)
