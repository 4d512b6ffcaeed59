"""The board's order."""

from __future__ import annotations

import pytest
from django.db import connection

from incidents.board import PAGE_SIZE
from incidents.models import Incident


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite chooses by statistics")
def test_board_is_read_in_the_order_of_its_index() -> None:
    """However many incidents there are, a page reads as many rows as it shows."""
    with connection.cursor() as cursor:
        # so few rows are quicker sorted
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")

    plan = Incident.objects.on_board()[: PAGE_SIZE + 1].explain()

    assert ("incident_board" in plan, "Sort" in plan) == (True, False)
