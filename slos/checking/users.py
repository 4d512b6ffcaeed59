"""Try a service's query of active users on the source that will be asked it."""

from __future__ import annotations

import math
import time

from correlation.data_sources.catalogue import source_of
from correlation.models import DataSource
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from slos.checking.looking import DEADLINE_SECONDS, is_of_query
from slos.evaluating import asking
from slos.impacts.counting import usual_source


def refusal(query: str, environment: str) -> str:
    """Why the source of the environment cannot count users by it; "" where it can, or where none
    answers. Finding nothing is no reason: the users may come tomorrow."""
    slug = usual_source(environment)
    if slug is None:
        return ""
    source = source_of(DataSource.objects.get(slug=slug))
    if source.closed_because:
        return ""
    client, deadline = asking.client_of(source), Deadline(DEADLINE_SECONDS)
    try:
        answer = client.query(query, time.time(), deadline)
    except BackendError as error:
        return f"{slug}: {error.detail}" if is_of_query(error) else ""
    for vector in answer.series:
        value = float(vector.values[-1])
        if not math.isfinite(value) or value < 0:
            return f"{slug} answers {value:g}, which is no number of users."
    return ""
