"""The indexes that only one of the databases has."""

from __future__ import annotations

import pytest
from django.db import connection

from incidents import indexes
from incidents.models import Alert, Delivery, Incident
from incidents.text_search import incidents_with
from tests.incidents.conftest import MakeIncident

ON_POSTGRESQL = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite reads every row"
)


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL uses its partial indexes")
@pytest.mark.parametrize("states", [["queued", "grouping"], ["rejected", "failed"]])
def test_few_deliveries_of_a_state_are_found_without_reading_the_others(states: list[str]) -> None:
    plan = Delivery.objects.filter(state__in=states).order_by("-received_at", "-id")[:51].explain()

    assert "USING INDEX delivery_state" in plan


@ON_POSTGRESQL
@pytest.mark.django_db
def test_search_reads_the_indexes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")

    incidents = Incident.objects.filter(incidents_with("checkout")).explain()
    alerts = Alert.objects.filter(name__icontains="HighErrorRate").explain()

    named = {name for name in indexes.WORDS if name in incidents + alerts}
    assert named == set(indexes.WORDS)


@ON_POSTGRESQL
@pytest.mark.django_db
def test_indexes_that_are_missing_are_made() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")

    indexes.install(connection)

    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes")
        assert set(indexes.WORDS) <= {name for (name,) in cursor.fetchall()}


@ON_POSTGRESQL
@pytest.mark.django_db
def test_search_works_where_the_extension_may_not_be_created(
    make_incident: MakeIncident, caplog: pytest.LogCaptureFixture
) -> None:
    found = make_incident("checkout fails")
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
        cursor.execute("CREATE ROLE nobody_in_particular")
        cursor.execute("SET LOCAL ROLE nobody_in_particular")

    indexes.install(connection)

    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    assert "CREATE EXTENSION pg_trgm" in caplog.text
    assert list(Incident.objects.filter(incidents_with("CHECK"))) == [found]
