from __future__ import annotations

import pytest
from django.db import connection

from incidents.by_service import alerts_of, incidents_of
from incidents.models import Alert, Incident, Service

pytestmark = pytest.mark.django_db


def test_rows_are_asked_for_by_the_services_key() -> None:
    """Through a join PostgreSQL guessed wrong."""
    service = Service.objects.create(slug="checkout", name="Checkout")

    for rows in (
        Incident.objects.filter(incidents_of("checkout")),
        Alert.objects.filter(alerts_of("checkout")),
    ):
        asked = str(rows.query)
        assert service.pk.hex in asked.replace("-", "")
        assert f'JOIN "{Service._meta.db_table}"' not in asked


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses by statistics")
def test_each_alert_is_looked_up_by_itself_where_there_are_no_statistics() -> None:
    """SQLite takes the service's rows for few and would read all of them for each alert."""
    Service.objects.create(slug="checkout", name="Checkout")

    plan = Alert.objects.filter(alerts_of("checkout"))[:51].explain()

    assert "INDEX occurrence_of_alert (alert_id=? AND service_id=?)" in plan


def test_a_service_that_is_not_there_has_nothing() -> None:
    assert not Incident.objects.filter(incidents_of("nope")).exists()
    assert not Alert.objects.filter(alerts_of("nope")).exists()
