"""When and where a change came to run: commits through the deploys that brought them out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from correlation.changes.hazards import read_change
from correlation.telemetry import Change

COMMIT = "commit"
ROLLOUTS = frozenset({"deploy", "rollout", "release"})

IMPLIED = 1.0
"""Log-odds lost by a commit that a later deploy of its service will have carried, unsaid."""

SHARED_IMPLIED = 1.5
"""The same for a commit of no known service."""

UNDELIVERED = 2.0
"""Lost by a commit that no deploy carried, where there are deploys to carry it."""

APPLIED = 0.7
"""Lost by configuration and migrations that nothing carried: controllers apply them unasked."""

_APPLIED = re.compile(
    r"(^|/)(migrations?|k8s|kubernetes|helm|charts|terraform|infra|infrastructure|manifests|"
    r"overlays|argocd|gitops|config|configs|deploy|ansible)/|\.(ya?ml|tf|tfvars|toml|sql|conf|"
    r"cfg|ini|properties|env|json)$"
)
_SUFFIX = re.compile(r"(service|svc|server|api|app|worker|backend|deployment)$")
_SCOPE = re.compile(r"^\w+\(([^)]+)\)")


@dataclass(frozen=True)
class Landing:
    """One way a change came to run: `service` "" where unknown, `at` epoch s, log-odds lost."""

    service: str
    at: float
    lost: float
    carried_by: Change | None = None


@dataclass(frozen=True)
class Candidate:
    """A change that may be to blame and how it landed; deploys of a known commit are not one."""

    change: Change
    landings: tuple[Landing, ...]


def candidates(changes: Iterable[Change], services: Iterable[str]) -> list[Candidate]:
    """Everything that can be blamed, oldest first: commits before the deploys that carried them."""
    ordered = sorted(changes, key=lambda change: (change.at, change.id))
    known = {change.id for change in ordered}
    names = sorted(services)
    rollouts = [change for change in ordered if change.kind.lower() in ROLLOUTS]
    found = []
    for change in ordered:
        if change.kind.lower() == COMMIT:
            landings = _landings(change, rollouts, names)
        elif change.commit in known and change.commit != change.id:
            continue
        else:
            landings = (Landing(change.service, change.at, 0.0),)
        found.append(Candidate(change, landings))
    return found


def touched(change: Change, services: Iterable[str]) -> tuple[str, ...]:
    """Services that a commit's paths and the scope of its title name."""
    if change.service:
        return (change.service,)
    said = {part for path in change.files for part in path.lower().split("/")[:-1]}
    scope = _SCOPE.match(change.title)
    if scope:
        said |= {part.strip() for part in scope.group(1).lower().split(",")}
    short = {_bare(word) for word in said} - {""}
    return tuple(name for name in services if _bare(name) in short or _prefixed(_bare(name), short))


def taken_back(changes: Sequence[Change]) -> frozenset[str]:
    """Changes that a later one says it takes back, by title."""
    back = [
        change.title.lower() for change in changes if read_change(change).goes_back and change.title
    ]
    return frozenset(
        change.id
        for change in changes
        if len(change.title) >= 8
        and any(change.title.lower() in title and change.title.lower() != title for title in back)
    )


def _landings(
    commit: Change, rollouts: list[Change], services: Iterable[str]
) -> tuple[Landing, ...]:
    carried = [one for one in rollouts if one.commit == commit.id and one.at >= commit.at]
    if carried:
        return tuple(Landing(one.service, one.at, 0.0, one) for one in carried)
    own = touched(commit, services)
    applied = bool(commit.files) and all(_APPLIED.search(path) for path in commit.files)
    lost = APPLIED if applied else UNDELIVERED
    if not rollouts:
        lost = 0.0
    found = [Landing(name, commit.at, lost) for name in own or ("",)]
    for name in own or sorted({one.service for one in rollouts}):
        later = next((o for o in rollouts if o.service == name and o.at >= commit.at), None)
        if later is not None:
            found.append(Landing(name, later.at, IMPLIED if own else SHARED_IMPLIED, later))
    return tuple(found)


def _bare(name: str) -> str:
    """checkout-service, CheckoutService and checkout are one."""
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    return _SUFFIX.sub("", letters) or letters


def _prefixed(name: str, words: Iterable[str]) -> bool:
    return any(len(word) >= 5 and name.startswith(word) for word in words)
