"""Is this incident the one that is already open? A stated similarity, with its parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from uuid import UUID

from incidents.models import Incident, Service

THRESHOLD = 0.8
HORIZON = timedelta(minutes=30)
WEIGHTS = {"service": 0.4, "title": 0.4, "time": 0.2}
WORD = re.compile(r"[a-z]+|\d+")


@dataclass(frozen=True)
class Similarity:
    """`score` is the weighted sum of `parts`, each 0..1; above THRESHOLD it is one incident."""

    incident: Incident
    score: float
    parts: dict[str, float]


def find_duplicate(
    *,
    title: str,
    services: Sequence[Service],
    started_at: datetime,
    environment: str,
    apart_from_rule: UUID | None = None,
) -> Similarity | None:
    """The open incident most like the newcomer, if any is above THRESHOLD.

    Looks at unresolved incidents on one of `services` that started within 30 minutes, less
    those of the grouping rule `apart_from_rule`: it told them and the newcomer apart.
    """
    if not services:
        return None
    candidates = (
        Incident.objects.active()
        .filter(
            affected__service__in=services,
            environment=environment,
            started_at__gte=started_at - HORIZON,
            started_at__lte=started_at + HORIZON,
        )
        .prefetch_related("affected")
        .distinct()
    )
    if apart_from_rule is not None:
        candidates = candidates.exclude(grouping_rule=apart_from_rule)
    wanted = {service.pk for service in services}
    best: Similarity | None = None
    for incident in candidates.order_by("started_at", "id"):
        theirs = {affected.service_id for affected in incident.affected.all()}
        parts = {
            "service": len(wanted & theirs) / len(wanted | theirs),
            "title": title_similarity(title, incident.title),
            "time": 1 - abs(started_at - incident.started_at) / HORIZON,
        }
        score = sum(WEIGHTS[name] * value for name, value in parts.items())
        if score > THRESHOLD and (best is None or score > best.score):
            best = Similarity(incident, round(score, 4), {k: round(v, 4) for k, v in parts.items()})
    return best


def title_similarity(one: str, other: str) -> float:
    """0..1: the longer common subsequence of words or the share of words in common."""
    a, b = WORD.findall(one.lower()), WORD.findall(other.lower())
    if not a or not b:
        return 0.0
    shared = len(set(a) & set(b)) / len(set(a) | set(b))
    return max(shared, SequenceMatcher(None, a, b, autojunk=False).ratio())
