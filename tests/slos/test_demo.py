"""The demo's SLOs on the lab: quiet while the shop is well, three of four broken when it is not."""

from __future__ import annotations

import pytest

from incidents import demo as shop
from incidents.models import Incident
from slos import breaches, demo
from slos.breaches.reading import of_incident
from slos.evaluating.evaluation import evaluate
from slos.evaluating.samples import when
from slos.impacts import assessing
from slos.models import SLO, SLOBreach
from tests.correlation.lab_backend import shop_incident
from tests.slos.impacts.conftest import BROKEN, END, Truth, truth  # noqa: F401  (a fixture)
from timeline.models import TimelineEvent


@pytest.fixture
def seeded(truth: Truth) -> None:  # noqa: F811
    shop.seed()
    demo.seed()


@pytest.mark.usefixtures("seeded")
def test_shop_that_is_well_breaks_nothing() -> None:
    evaluate(END - BROKEN - 60)

    stands = dict(SLO.objects.values_list("name", "status"))
    assert set(stands.values()) == {"healthy"}, stands
    assert not SLOBreach.objects.exists()


@pytest.mark.usefixtures("seeded")
def test_exhausted_pool_breaks_all_but_durability() -> None:
    incident = shop_incident("payment-processing", when(END - BROKEN))

    assessing.want(incident.pk)
    assessing.assess(incident.pk, at=END)

    broken = {breach.slo.name for breach in of_incident(incident)}
    assert broken == {"payment-availability", "payment-latency", "payment-error-rate"}
    assert Incident.objects.get().business_impact["slos_breached"] == 3
    told = TimelineEvent.objects.get(kind="slo_breach")
    assert told.title == "3 SLOs breached"
    assert breaches.of_slo(SLO.objects.get(name="payment-durability")).count() == 0


@pytest.mark.usefixtures("seeded")
def test_seeding_again_leaves_what_was_edited() -> None:
    SLO.objects.filter(name="payment-durability").update(target=0.99, enabled=False)

    demo.seed()

    row = SLO.objects.get(name="payment-durability")
    assert (SLO.objects.count(), row.target, row.enabled) == (6, 0.99, False)
