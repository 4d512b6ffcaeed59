"""Which grouping rule an alert hits, and its correlation key there. Pure.

Alerts with one key share an incident. A key names the rule, the environment and the values of
the rule's `group_by`. Times are aware datetimes, durations timedeltas.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from incidents.intake.matchers import all_fit

KEY_LENGTH = 280
"""Longest key; the column has room for the mark of a retired one."""
SERVICE = "@service"
DEFAULT_NAME = "default"
_RETIRED = re.compile(r"#INC-\d+$")


@dataclass(frozen=True)
class Rule:
    """A grouping rule; `id` is None for the built-in one, which every alert hits at last.

    `window` is one of open, rolling and fixed.
    """

    id: UUID | None
    name: str
    resolve_delay: timedelta
    reopen_window: timedelta
    matchers: tuple[str, ...] = ()
    sources: frozenset[str] = frozenset()
    environment: str = ""
    group_by: tuple[str, ...] = (SERVICE,)
    window: str = "open"
    window_length: timedelta = timedelta(0)
    minimum_alerts: int = 1
    join_neighbours: bool = True

    @property
    def is_default(self) -> bool:
        return self.id is None


@dataclass(frozen=True)
class Subject:
    """What is known of an alert when it is placed; `service` is the one it names, if any."""

    labels: Mapping[str, str]
    name: str
    source: str
    environment: str
    service: str | None


@dataclass(frozen=True)
class Placement:
    """`values` are those that the key is made of, by what they are values of."""

    rule: Rule
    key: str
    values: Mapping[str, str]


def place(subject: Subject, rules: Sequence[Rule]) -> Placement:
    """The first rule that fits; the last of `rules` is the default one."""
    rule = next(rule for rule in rules if fits(rule, subject))
    values = {name: _value(name, subject) for name in rule.group_by}
    return Placement(rule, key_of(rule, subject, values), values)


def fits(rule: Rule, subject: Subject) -> bool:
    return (
        (not rule.sources or subject.source in rule.sources)
        and rule.environment in ("", subject.environment)
        and all_fit(rule.matchers, subject.labels)
    )


def key_of(rule: Rule, subject: Subject, values: Mapping[str, str]) -> str:
    """The correlation key, at most KEY_LENGTH long: what is too long is replaced by its digest."""
    if rule.is_default:
        kind, name = ("service", subject.service) if subject.service else ("alert", subject.name)
        return _bounded(f"{kind}:{subject.environment}:", name)
    return _bounded(f"rule:{rule.id}:{subject.environment}:", urlencode(sorted(values.items())))


def service_key(environment: str, service: str) -> str:
    """The default rule's key of whatever alerts about the service."""
    return _bounded(f"service:{environment}:", service)


def key_with_service(key: str, environment: str, named: str, service: str) -> str | None:
    """The key once what alerts name is known as a service; None where it does not go by it."""
    if key == service_key(environment, named):
        return service_key(environment, service)
    head, _colon, values = key.rpartition(":")
    pairs = parse_qsl(values, keep_blank_values=True)
    if not key.startswith("rule:") or (SERVICE, named) not in pairs:
        return None
    changed = [(SERVICE, service) if pair == (SERVICE, named) else pair for pair in pairs]
    return _bounded(f"{head}:", urlencode(changed))


def retired_key(key: str, number: int) -> str:
    """The key of incident `number` once a newer incident answers to `key`."""
    return f"{_RETIRED.sub('', key)}#INC-{number}"


def taken(rule: Rule, began_at: datetime, last_at: datetime, firings: Iterable[datetime]) -> int:
    """How many of the firings, oldest first, an incident takes that began at `began_at`.

    `last_at` is when its last firing began. A firing that is too late ends the window for all
    after it.
    """
    count = 0
    for at in firings:
        since = began_at if rule.window == "fixed" else last_at
        if rule.window != "open" and at - since > rule.window_length:
            break
        last_at = max(last_at, at)
        count += 1
    return count


def _value(name: str, subject: Subject) -> str:
    if name == SERVICE:
        return subject.service or f"alert {subject.name}"
    return subject.labels.get(name, "")


def _bounded(head: str, value: str) -> str:
    if len(head) + len(value) <= KEY_LENGTH:
        return head + value
    return f"{head}sha256-{hashlib.sha256(value.encode()).hexdigest()}"
