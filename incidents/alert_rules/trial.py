"""What would happen to an alert: the rule it hits, its service, severity and key, and the
incident it would join. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from incidents.intake import prospects, reading, rulebook, screening
from incidents.intake.placement import Rule, fits
from incidents.intake.placing import Found, Told, read
from incidents.merges.duplicates import find_duplicates
from incidents.models import Alert, AlertOccurrence, AlertSource, Incident
from incidents.neighbours import find_neighbour


@dataclass(frozen=True)
class Outcome:
    """`how`: key, merged, reopened, waits, similar, neighbour, opened, held or nothing."""

    how: str
    why: str
    incident: Incident | None = None


@dataclass(frozen=True)
class Tried:
    """A rule that was looked at before one fitted."""

    rule: Rule
    fits: bool


@dataclass(frozen=True)
class Trial:
    """`found` says what was read off the alert and where it belongs, `screened` what goes before
    any rule: in words, empty when nothing does."""

    found: Found
    screened: str
    title: str
    tried: Sequence[Tried]
    outcome: Outcome


def try_out(
    *, labels: Mapping[str, str], annotations: Mapping[str, str], source: str, firing: bool
) -> Trial:
    """The fate of an alert that the source (its slug) would deliver now."""
    sender = AlertSource.objects.filter(slug=source).first() or AlertSource(slug=source)
    name = labels.get("alertname", "unnamed alert")[:200]
    (found,) = read([Told(labels, name, source, sender.environment)])
    title = reading.title_of(name, annotations, found.named)
    screened = screening.foresee(Alert(source=sender, name=name, labels=dict(labels)))
    if not firing:
        outcome = _END
    elif not screened.passes:
        outcome = Outcome("held", screened.why)
    else:
        outcome = _outcome(found, title, timezone.now())
    return Trial(found, screened.why, title, _tried(found), outcome)


_END = Outcome(
    "nothing", "It ends the firing of its series, if there is one; it opens and joins nothing."
)


def _tried(found: Found) -> list[Tried]:
    tried: list[Tried] = []
    for rule in rulebook.in_force():
        tried.append(Tried(rule, fits(rule, found.subject)))
        if tried[-1].fits:
            break
    return tried


def _outcome(found: Found, title: str, now: datetime) -> Outcome:
    rule, key = found.placement.rule, found.placement.key
    prospect = prospects.look(rule, key, [now], now)
    if prospect.incident is not None:
        return Outcome(prospect.how, prospect.why, prospect.incident)
    waiting = _waiting(rule, key, now)
    if waiting + 1 < rule.minimum_alerts:
        why = f"{rule.minimum_alerts} alerts open an incident; it would be number {waiting + 1}."
        return Outcome("waits", why)
    if found.service is not None:
        similar = find_duplicates(
            title=title,
            services=[found.service],
            started_at=now,
            environment=found.subject.environment,
            labels=found.subject.labels,
            apart_from_rule=rule.id,
        )
        if similar:
            return Outcome("similar", str(similar[0]), similar[0].incident)
        within = timedelta(seconds=settings.JOIN_NEIGHBOURS_SECONDS)
        near = find_neighbour(
            service=found.service,
            started_at=now,
            within=within if rule.join_neighbours else timedelta(0),
        )
        if near is not None:
            return Outcome("neighbour", f"{near}.", near.incident)
    return Outcome("opened", prospect.why)


def _waiting(rule: Rule, key: str, now: datetime) -> int:
    if rule.minimum_alerts == 1:
        return 0
    return AlertOccurrence.objects.filter(
        incident=None, waiting_key=key, started_at__gte=now - rule.window_length
    ).count()
