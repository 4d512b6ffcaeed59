"""Which labels of a Loki hold the service and the level: found out, kept for a minute.

Two small requests, one after the other. The label sets of the streams that carry a name of the
scope under any usual label say which label names most of them, and which second one names the
rest; a few of the newest lines say whether levels come from `detected_level` (structured
metadata, added by Loki 3), from labels, or not at all. What an option says is not asked.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from correlation.backends.loki import LEVEL_LABELS, LokiClient
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

SERVICE_CANDIDATES = (
    *("service_name", "app", "service", "app_kubernetes_io_name", "application", "app_name"),
    *("k8s_deployment_name", "deployment", "k8s_statefulset_name", "statefulset", "workload"),
    *("compose_service", "component", "name", "k8s_container_name", "container"),
    *("container_name", "job"),
)
"""Labels that may hold the service, the likeliest first: it wins where two name as many."""

PROBE_CHARACTERS = 2000
SAMPLE_LINES = 40
KEPT_SECONDS = 60.0
MOST_KEPT = 256

_DETECTED = "detected_level"
_NOT_LISTED = (400, 404, 405, 413, 422, 501)
"""Statuses of a server that does not list streams, or not so many: its labels then decide."""


@dataclass(frozen=True)
class LogLabels:
    """How to ask a Loki for services and levels.

    `service` are at most two labels, empty when no stream carries a name of the scope; the
    second holds what the first does not: the names in `rest`. `levels` are the labels that hold
    the level, empty when lines carry none. `sampled` is false when there was no line to look at.
    `requests` is what it took to find out.
    """

    service: tuple[str, ...]
    levels: tuple[str, ...]
    rest: tuple[str, ...] = ()
    sampled: bool = False
    requests: int = 0


@dataclass(frozen=True)
class Known:
    """What is known before: by options labels of the service, a whole selector, labels of the
    level; and whether every service is asked for, `names` being a part of them."""

    service: tuple[str, ...] = ()
    selector: str = ""
    levels: tuple[str, ...] = ()
    everything: bool = False

    @property
    def complete(self) -> bool:
        return bool((self.service or self.selector) and self.levels)


_kept: OrderedDict[Hashable, tuple[float, LogLabels]] = OrderedDict()
_lock = threading.Lock()


def forget() -> None:
    """Drop what is known of every source (tests, and a source whose settings have changed)."""
    with _lock:
        _kept.clear()


def labels_in_use(
    key: Hashable,
    client: LokiClient,
    names: Sequence[str],
    known: Known,
    span: tuple[float, float],
    deadline: Deadline,
) -> LogLabels:
    """The labels by which `names` can be asked for within `span`; raises BackendError.

    `names` are what this Loki may call the scope's services, the affected one first; empty when
    none is known. Kept for KEPT_SECONDS under `key`, unless there was no line to look at.
    """
    key = (key, tuple(names), known)
    with _lock:
        until, kept = _kept.get(key, (0.0, None))
    if kept is not None and until > time.monotonic():
        return replace(kept, requests=0)
    found = _find(client, names, known, span, deadline)
    if found.sampled:
        with _lock:
            _kept[key] = (time.monotonic() + KEPT_SECONDS, found)
            _kept.move_to_end(key)
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return found


def service_of(labels: Mapping[str, str], label: str) -> str:
    """The service a label names; `job` may be written namespace/name."""
    value = labels.get(label, "")
    return value.rpartition("/")[2] if label == "job" else value


def matcher(label: str, pattern: str) -> str:
    """`label=~"pattern"`, with room for the namespace in a `job`."""
    return f'{label}=~"(?:.+/)?(?:{pattern})"' if label == "job" else f'{label}=~"{pattern}"'


def quoted(text: str) -> str:
    """A literal for RE2 within double quotes: metacharacters escaped, then backslashes again."""
    literal = "".join("\\" + c if c in r"\.+*?()|[]{}^$" else c for c in text)
    return literal.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def choose(
    streams: Sequence[Mapping[str, str]], names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(labels, rest): the label that names most, and one for names it does not; none: ((), ())."""
    wanted = frozenset(names)

    def named(label: str) -> frozenset[str]:
        return frozenset(service_of(labels, label) for labels in streams) & wanted

    found = {label: named(label) for label in SERVICE_CANDIDATES}
    first = max(SERVICE_CANDIDATES, key=lambda label: len(found[label]))
    if not found[first]:
        return (), ()
    second = max(SERVICE_CANDIDATES, key=lambda label: len(found[label] - found[first]))
    rest = found[second] - found[first]
    return ((first, second), tuple(sorted(rest))) if rest else ((first,), ())


def _find(
    client: LokiClient,
    names: Sequence[str],
    known: Known,
    span: tuple[float, float],
    deadline: Deadline,
) -> LogLabels:
    found = LogLabels(known.service, known.levels)
    listed = frozenset[str]()
    if not known.service and not known.selector:
        found, listed = _services(client, names, known, span, deadline)
        if not found.service:
            return found
    if known.levels:
        return replace(found, sampled=True)
    pattern = "|".join(map(quoted, _fitting(names)))
    if known.everything or not names:
        pattern = ".+"
    selector = known.selector or "{" + matcher(found.service[0], pattern) + "}"
    entries = client.entries(selector, *span, deadline, limit=SAMPLE_LINES)
    seen = listed | {name for entry in entries for name in entry.labels}
    if not entries:
        levels: tuple[str, ...] = (_DETECTED, *(name for name in LEVEL_LABELS if name in seen))
    elif all(entry.labels.get(_DETECTED) for entry in entries):
        levels = (_DETECTED,)
    else:
        levels = tuple(name for name in LEVEL_LABELS if name in seen)
    return replace(found, levels=levels, sampled=bool(entries), requests=found.requests + 1)


def _services(
    client: LokiClient,
    names: Sequence[str],
    known: Known,
    span: tuple[float, float],
    deadline: Deadline,
) -> tuple[LogLabels, frozenset[str]]:
    """The labels of the service, and the names of all stream labels seen."""
    start, end = span
    requests = 0
    if names:
        asked = _fitting(names)
        pattern = "|".join(map(quoted, asked))
        match = ["{" + matcher(label, pattern) + "}" for label in SERVICE_CANDIDATES]
        requests = 1
        try:
            streams = client.series(match, deadline, start=start, end=end)
        except BackendError as error:
            if error.status not in _NOT_LISTED and error.kind not in ("limit", "too_large"):
                raise
        else:
            service, rest = choose(streams, asked)
            if service or not known.everything:
                seen = frozenset(name for labels in streams for name in labels)
                return LogLabels(service, known.levels, rest, requests=requests), seen
    there = client.labels(deadline, start=start, end=end)
    usual = [label for label in SERVICE_CANDIDATES if label in there]
    most = 1 if usual[:1] == ["service_name"] else 2  # Loki 3 adds it to every stream
    found = LogLabels(tuple(usual[:most]), known.levels, requests=requests + 1)
    return found, frozenset(there)


def _fitting(names: Sequence[str]) -> tuple[str, ...]:
    """As many of the names as one small request holds, in the order given."""
    kept: list[str] = []
    room = PROBE_CHARACTERS
    for name in names:
        room -= len(quoted(name)) + 1
        if room < 0 and kept:
            break
        kept.append(name)
    return tuple(kept)
