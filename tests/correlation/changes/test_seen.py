from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from correlation.changes.seen import remember
from correlation.cluster.rollouts import change_id
from correlation.scope import changes_for
from correlation.sources import Scope
from correlation.telemetry import Change
from incidents.models import ChangeEvent, Service

pytestmark = pytest.mark.django_db

ONSET = 1_795_305_900.0
ROLLOUT = Change(
    id=change_id("uid-7"),
    service="cart",
    kind="deploy",
    at=ONSET - 180,
    title="v1 -> v2 (revision 7)",
    diff="-v1\n+v2",
    source="kubernetes",
    ref="uid-7",
)


@pytest.fixture
def cart() -> Service:
    return Service.objects.create(slug="cart", name="Cart")


def test_remember_writes_a_row_with_the_changes_id(cart: Service) -> None:
    written = remember([ROLLOUT], "production")

    row = ChangeEvent.objects.get()
    assert written == 1
    assert (row.pk, row.service, row.kind, row.ref, row.source) == (
        UUID(ROLLOUT.id), cart, "deploy", "uid-7", "kubernetes",
    )  # fmt: skip
    assert (row.at, row.title, row.diff) == (
        datetime.fromtimestamp(ONSET - 180, UTC), ROLLOUT.title, ROLLOUT.diff,
    )  # fmt: skip


def test_remember_writes_a_change_once(cart: Service) -> None:
    remember([ROLLOUT, ROLLOUT], "production")

    assert remember([ROLLOUT], "production") == 0
    assert ChangeEvent.objects.count() == 1


def test_remembered_change_comes_back_as_itself(cart: Service) -> None:
    remember([ROLLOUT], "production")

    (known,) = changes_for(Scope("cart", ONSET, ONSET + 60))

    assert (known.id, known.service, known.at) == (ROLLOUT.id, "cart", ROLLOUT.at)


def test_changes_of_the_catalogue_and_of_strangers_are_not_written(cart: Service) -> None:
    own = Change("1", "cart", "deploy", ONSET, "told by the API")
    stranger = Change(change_id("x"), "dns", "deploy", ONSET, "v1 -> v2", source="kubernetes")

    assert remember([own, stranger], "production") == 0
    assert not ChangeEvent.objects.exists()


def test_service_of_another_environment_is_a_stranger(cart: Service) -> None:
    assert remember([ROLLOUT], "staging") == 0
