"""What an incident looked like, as a set of parts, and how alike two such sets are. Pure.

Each convincing piece of evidence gives a part that names the service and one that names only its
role: the same failure elsewhere is somewhat alike, at the same service more so. The likely cause
gives its kind and its service. Likeness is the Jaccard index of the two sets with each part
weighed by how rare it is among all incidents:

    score = sum of w over the shared parts / sum of w over the parts of either,  w = ln(1 + N / n)

where N is the number of incidents with a fingerprint and n how many of them have the part (inverse
document frequency, Sparck Jones 1972). 1 for equal sets, 0 for disjoint ones.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from correlation.signal_labels import label_of
from correlation.telemetry import Cause, Evidence, Ranking

CONVINCING = 0.5
MOST_EVIDENCE = 40
LONGEST_TOKEN = 200


@dataclass(frozen=True)
class Part:
    """`token` identifies it across incidents; `words` are for readers."""

    token: str
    words: str


@dataclass(frozen=True)
class Likeness:
    """`score` 0..1; `shared` are (token, share of the score), the weightiest first."""

    score: float
    shared: tuple[tuple[str, float], ...]


def fingerprint(ranking: Ranking, roles: Mapping[str, str]) -> tuple[Part, ...]:
    """The parts of a ranking, by token, each once; of evidence that convinces, the strongest 40.

    `roles` by service; one that is not named is a "service".
    """
    parts: dict[str, Part] = {}
    convincing = [item for item in ranking.evidence if item.confidence >= CONVINCING]
    for item in convincing[:MOST_EVIDENCE]:
        _add(parts, _of_evidence(item, roles))
    if ranking.causes and not ranking.inconclusive:
        _add(parts, _of_cause(ranking.causes[0], roles))
    return tuple(parts[token] for token in sorted(parts))


def likeness(
    one: Collection[str], other: Collection[str], incidents: int, having: Mapping[str, int]
) -> Likeness:
    """How alike two sets of tokens are; `having` says how many of `incidents` have a token."""
    mine, theirs = set(one), set(other)
    weights = {
        token: math.log1p(max(incidents, 1) / max(having.get(token, 1), 1))
        for token in mine | theirs
    }
    whole = math.fsum(weights.values())
    if whole == 0.0:
        return Likeness(0.0, ())
    shared = sorted(
        ((token, weights[token] / whole) for token in mine & theirs), key=lambda p: (-p[1], p[0])
    )
    return Likeness(math.fsum(share for _token, share in shared), tuple(shared))


def _add(parts: dict[str, Part], found: Iterable[Part]) -> None:
    for part in found:
        token = part.token[:LONGEST_TOKEN]
        parts.setdefault(token, Part(token, part.words[:LONGEST_TOKEN]))


def _of_cause(cause: Cause, roles: Mapping[str, str]) -> list[Part]:
    kind = cause.kind.replace("_", " ")
    role = roles.get(cause.service, "service")
    return [
        Part(f"cause:{cause.kind}:{role}", f"{kind} of a {role}"),
        Part(f"cause:{cause.kind}@{cause.service}", f"{cause.service}: {kind}"),
    ]


def _of_evidence(item: Evidence, roles: Mapping[str, str]) -> list[Part]:
    what, words = _what(item)
    role = roles.get(item.service, "service")
    where = f"{item.service} to {item.peer}" if item.peer else item.service
    place = f"{item.service}>{item.peer}" if item.peer else item.service
    if item.type == "log":  # a template names its program well enough
        return [Part(f"log:{what}", f"{item.service}: {words}")]
    return [
        Part(f"{item.type}:{what}:{role}", f"{words} at a {role}"),
        Part(f"{item.type}:{what}@{place}", f"{where}: {words}"),
    ]


def _what(item: Evidence) -> tuple[str, str]:
    if item.type == "log":
        change = str(item.details.get("change", item.direction))
        template = str(item.details.get("template", item.title))
        return f"{item.key.rpartition(':')[2]}:{change}", f"{change} log line {template[:100]}"
    if item.type == "kubernetes":
        return item.signal, item.signal
    if item.type == "change":
        return item.signal, f"{item.signal.replace('_', ' ')} shortly before"
    return f"{item.signal}:{item.direction}", f"{label_of(item.signal)} {item.direction}"
