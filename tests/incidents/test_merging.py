"""A merged incident gives its services away and moves no further."""

from __future__ import annotations

import pytest

from accounts.models import User
from incidents import lifecycle, merging
from tests.incidents.conftest import MakeIncident, MakeService


def test_merge_marks_the_source_and_moves_its_services(
    make_incident: MakeIncident, make_service: MakeService, sam: User
) -> None:
    source = make_incident("A", services=[make_service("cart")])
    target = make_incident("B")

    merging.merge(source_id=source.pk, target_id=target.pk, actor=sam)

    source.refresh_from_db()
    assert source.merged_into == target
    assert sorted(a.service.slug for a in target.affected.all()) == ["cart", "checkout"]
    with pytest.raises(lifecycle.TransitionRefused):
        lifecycle.acknowledge(incident_id=source.pk, actor=sam)
