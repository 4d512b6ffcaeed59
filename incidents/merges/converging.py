"""Open incidents whose analyses name one cause are one: merged when sure, else proposed.

Upstream and downstream alerts of one failure open an incident each, on services that have nothing
in common. What they have in common shows once they have been analysed.

Candidates are unresolved incidents of one environment whose latest first cause is the same kind
at the same service, and that went on at the same time. `similarity.compare_causes` rates each
pair; what is linked by MERGE_ABOVE or more becomes the incident that was opened first, any
number at a time. Pairs that a person has taken apart never meet again by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from incidents.merges import merging, proposals
from incidents.merges.apart import pairs_apart
from incidents.merges.duplicates import describe
from incidents.merges.similarity import Likeness, compare_causes, groups
from incidents.merges.survivors import members_of
from incidents.models import Incident

MOST_CANDIDATES = 100
CAUSE = ("environment", "top_cause_service", "top_cause_kind")

Pair = tuple[UUID, UUID]
"""The incident opened first, the one opened later."""


@dataclass(frozen=True)
class Converged:
    """What was merged away, and how many pairs are proposed."""

    merged: tuple[UUID, ...] = ()
    proposed: int = 0


def converge(incident_id: UUID, now: datetime | None = None) -> Converged:
    """Compare an incident that has just been analysed with the others of its cause.

    Everything is decided under the locks of all of them, so that two analyses that end at once
    decide one after the other.
    """
    found = _candidates(incident_id)
    if len(found) < 2 and not proposals.of(incident_id).exists():
        return Converged()
    with transaction.atomic():
        rows = merging.lock([incident_id, *(incident.pk for incident in found)])
        still = {incident.pk for incident in _candidates(incident_id)}
        if incident_id not in still:
            proposals.withdraw(incident_id)
            return Converged()
        nodes = sorted((rows[pk] for pk in rows if pk in still), key=lambda row: row.number)
        return _settle(incident_id, nodes, now or timezone.now())


def sweep() -> int:
    """Look at every cause that several unresolved incidents name; how many were merged away.

    For what a worker that died, or a verdict that a person gave, left to be compared.
    """
    shared = (
        Incident.objects.active()
        .exclude(top_cause_kind="")
        .values(*CAUSE)
        .annotate(incidents=Count("pk"))
        .filter(incidents__gt=1)
        .order_by(*CAUSE)
    )
    merged = 0
    for row in shared:
        cause = {name: row[name] for name in CAUSE}
        first = Incident.objects.active().filter(**cause).order_by("number").first()
        if first is not None:
            merged += len(converge(first.pk).merged)
    return merged


def _candidates(incident_id: UUID) -> list[Incident]:
    """The incident itself and those of its cause, the first MOST_CANDIDATES opened; none for an
    incident that is over, merged, or without a cause."""
    own = Incident.objects.active().exclude(top_cause_kind="").filter(pk=incident_id).first()
    if own is None:
        return []
    others = Incident.objects.active().filter(**{name: getattr(own, name) for name in CAUSE})
    return [own, *others.exclude(pk=own.pk).order_by("number")[:MOST_CANDIDATES]]


def _settle(incident_id: UUID, nodes: Sequence[Incident], now: datetime) -> Converged:
    by_id = {incident.pk: incident for incident in nodes}
    rated = _rated(nodes, now)
    members = members_of(by_id)
    apart = {
        frozenset(members[pk] for pk in pair) for pair in pairs_apart(members.keys())
    }  # an incident stands for all that were merged into it
    scores = {pair: likeness.score for pair, likeness in rated.items()}
    merged: list[UUID] = []
    survivor = {pk: pk for pk in by_id}
    for group in groups(by_id, scores, threshold=settings.MERGE_ABOVE, apart=apart):
        if len(group) > 1:
            merged += _merge(by_id, group, rated)
            survivor |= dict.fromkeys(group, group[0])
    proposed = _propose(by_id, rated, survivor, apart)
    if survivor[incident_id] == incident_id:
        proposals.withdraw(incident_id, but={frozenset(pair) for pair in proposed})
    return Converged(tuple(merged), len(proposed))


def _rated(nodes: Sequence[Incident], now: datetime) -> dict[Pair, Likeness]:
    """How alike each two are that went on at the same time."""
    described = describe(nodes)
    ends = _ends([incident.pk for incident in nodes])
    return {
        (one.pk, other.pk): compare_causes(described[one.pk], described[other.pk])
        for one, other in combinations(nodes, 2)
        if one.started_at <= ends.get(other.pk, now) and other.started_at <= ends.get(one.pk, now)
    }


def _ends(incident_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When the last alert ended of those incidents whose alerts have all ended."""
    quiet = (
        Incident.objects.filter(pk__in=incident_ids, occurrences__isnull=False)
        .annotate(
            going_on=Count("occurrences", filter=Q(occurrences__resolved_at=None)),
            last=Max("occurrences__resolved_at"),
        )
        .filter(going_on=0)
    )
    return dict(quiet.values_list("pk", "last"))


def _merge(
    by_id: Mapping[UUID, Incident], group: Sequence[UUID], rated: Mapping[Pair, Likeness]
) -> Sequence[UUID]:
    """Into the first of the group; each with its likeness to that, or to the one most alike."""
    target, *sources = group
    cause = by_id[target]
    merging.merge_all(
        source_ids=sources,
        target_id=target,
        actor=None,
        automatic=True,
        reason=_because(cause),
        likenesses={source: _nearest(source, group, rated) for source in sources},
    )
    return sources


def _nearest(pk: UUID, group: Sequence[UUID], rated: Mapping[Pair, Likeness]) -> Likeness:
    direct = rated.get((group[0], pk))
    if direct is not None and direct.score >= settings.MERGE_ABOVE:
        return direct
    theirs = [one for pair, one in rated.items() if pk in pair and set(pair) <= set(group)]
    return max(theirs, key=lambda one: one.score)


def _propose(
    by_id: Mapping[UUID, Incident],
    rated: Mapping[Pair, Likeness],
    survivor: Mapping[UUID, UUID],
    apart: set[frozenset[UUID]],
) -> list[Pair]:
    """Each incident that is left, with the earlier one it is most like, if it is like any."""
    best: dict[UUID, tuple[float, int, Pair]] = {}
    for (one, other), likeness in rated.items():
        pair = one, other
        if survivor[one] != one or survivor[other] != other or frozenset(pair) in apart:
            continue
        if likeness.score >= settings.MERGE_PROPOSE_ABOVE:
            best[other] = max(
                best.get(other, (0.0, 0, pair)),
                (likeness.score, -by_id[one].number, pair),
                key=lambda found: found[:2],
            )
    pairs = [pair for _score, _number, pair in best.values()]
    for one, other in pairs:
        proposals.propose(by_id[one], by_id[other], rated[one, other], _because(by_id[other]))
    return pairs


def _because(incident: Incident) -> str:
    kind = incident.top_cause_kind.replace("_", " ")
    return f"Their analyses name the same cause: {kind} at {incident.top_cause_service}."
