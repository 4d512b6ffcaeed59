"""Earlier incidents that looked like this one, with how they ended.

At most 50 candidates are compared: those that share the most of this one's 24 rarest parts, the
newest first among equals. Nine queries, however many incidents there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from correlation.memory import verdicts
from correlation.memory.fingerprint import fingerprint, likeness
from correlation.models import Analysis, CauseVerdict, FingerprintPart
from correlation.telemetry import Ranking
from incidents.as_it_was import as_it_was
from incidents.live import Panel, register
from incidents.models import Incident

CANDIDATES = 50
RAREST_PARTS = 24
SHOWN = 5
ALIKE = 0.15
"""Below this two incidents have little more in common than being incidents."""


@dataclass(frozen=True)
class Similar:
    """`shared` are (words, share of the score), weightiest first; `verdict` what was confirmed."""

    incident: Incident
    score: float
    shared: tuple[tuple[str, float], ...]
    verdict: CauseVerdict | None

    @property
    def root_cause(self) -> tuple[str, str]:
        """(text, who says so: "confirmed", "recorded", "ranked" or ""), the surest first."""
        if self.verdict is not None:
            return self.verdict.title, "confirmed"
        if self.incident.root_cause:
            return self.incident.root_cause, "recorded"
        if self.incident.top_cause:
            return self.incident.top_cause, "ranked"
        return "", ""


def remember(analysis: Analysis, ranking: Ranking, roles: Mapping[str, str]) -> int:
    """Make what `ranking` found the incident's fingerprint; how many parts it has."""
    parts = fingerprint(ranking, roles)
    with transaction.atomic():
        FingerprintPart.objects.filter(incident=analysis.incident_id).delete()
        FingerprintPart.objects.bulk_create(
            FingerprintPart(
                incident_id=analysis.incident_id,
                analysis=analysis,
                token=part.token,
                words=part.words,
            )
            for part in parts
        )
    return len(parts)


def similar(incident: Incident, limit: int = SHOWN) -> list[Similar]:
    """The earlier incidents most alike, best first, none below ALIKE, no merged one."""
    words = dict(incident.fingerprint.values_list("token", "words"))
    if not words:
        return []
    having = _having(words)
    incidents = FingerprintPart.objects.values("incident").distinct().count()
    theirs = _candidates(incident, sorted(words, key=lambda token: (having[token], token)))
    having |= _having({token for tokens in theirs.values() for token in tokens})
    alike = {pk: likeness(words, tokens, incidents, having) for pk, tokens in theirs.items()}
    known = Incident.objects.in_bulk([pk for pk, found in alike.items() if found.score >= ALIKE])
    best = sorted(known, key=lambda pk: (-alike[pk].score, -known[pk].number))[:limit]
    confirmed = verdicts.confirmed_of(best)
    return [
        Similar(
            incident=known[pk],
            score=alike[pk].score,
            shared=tuple((words[token], share) for token, share in alike[pk].shared),
            verdict=confirmed.get(pk),
        )
        for pk in best
    ]


def _having(tokens: Iterable[str]) -> dict[str, int]:
    """How many incidents have each token."""
    counted = FingerprintPart.objects.filter(token__in=list(tokens)).values("token")
    return dict(counted.annotate(n=Count("pk")).values_list("token", "n"))


def _candidates(incident: Incident, rarest_first: list[str]) -> dict[UUID, set[str]]:
    """Tokens of the incidents worth comparing, by incident."""
    sharing = (
        FingerprintPart.objects.filter(
            token__in=rarest_first[:RAREST_PARTS],
            incident__number__lt=incident.number,
            incident__merged_into=None,
        )
        .values("incident")
        .annotate(n=Count("pk"))
        .order_by("-n", "-incident__number")
        .values_list("incident", flat=True)[:CANDIDATES]
    )
    found: dict[UUID, set[str]] = defaultdict(set)
    rows = FingerprintPart.objects.filter(incident__in=list(sharing))
    for pk, token in rows.values_list("incident", "token"):
        found[pk].add(token)
    return dict(found)


def context(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{similar: most alike first, compared: whether this incident has a fingerprint yet}.

    Likeness is to what is known of the incident now, also when an earlier moment is looked at;
    then nothing is alike before the first analysis had ended, and of the others is told what was
    known of them.
    """
    if as_of is not None:
        return _as_of(incident, as_of)
    found = similar(incident)
    compared = bool(found) or incident.fingerprint.exists()
    return {"similar": found, "compared": compared}


def _as_of(incident: Incident, as_of: datetime) -> dict[str, Any]:
    if not incident.analyses.stood().filter(finished_at__lte=as_of).exists():
        return {"similar": [], "compared": False}
    found = [
        replace(
            one,
            incident=as_it_was(one.incident, as_of),
            verdict=one.verdict if one.verdict and one.verdict.at <= as_of else None,
        )
        for one in similar(incident)
    ]
    return {"similar": found, "compared": True}


def register_panel() -> None:
    register(Panel("similar", "correlation/_similar.html", context, column="main", order=30))
