"""How a source did in one analysis: its state, and why, in plain words."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from correlation.sources import KIND_NAMES, Reply, Source, SourceState, SourceStatus
from incidents.outbound.errors import BackendError


def _set() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class Run:
    """One source's queries: under way in `futures`, then sorted into replies and reasons.

    `broken` says why it could not be asked at all, `why_broken` in one word; `requests` counts
    what went out (an answer shared with another analysis costs none), `answered` is true once
    any query got an answer, `silences` are those that got none; `open` queries are under way,
    `idle` is set when none is; `finished_at` is on the monotonic clock.
    """

    source: Source
    broken: str = ""
    why_broken: str = ""
    requests: int = 0
    answered: bool = False
    silences: list[BackendError] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    idle: threading.Event = field(default_factory=_set)
    open: int = 0
    futures: dict[str, Future[Reply]] = field(default_factory=dict)
    finished_at: dict[str, float] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def failed(self, name: str, error: BackendError) -> None:
        """Notes why a query got no usable answer: in words, and in one word for programs."""
        self.reasons[name] = error.detail
        self.failures[name] = failure(error)


def failure(error: BackendError) -> str:
    """The error in one word for programs: its HTTP status as text, else its kind."""
    named = error.status is not None and error.kind in ("http", "limit")
    return str(error.status) if named else error.kind


def status(run: Run, started: float) -> SourceStatus:
    """The verdict on a run that began at `started` (monotonic seconds)."""
    last = max(list(run.finished_at.values()), default=started)
    state, detail = _verdict(run)
    seconds = round(max(0.0, last - started), 3)
    reason = _reason(run) if state == "unavailable" else ""
    return SourceStatus(
        run.source.slug, run.source.kind, state, detail, run.requests, seconds, reason
    )


def not_configured(sources: Sequence[Source]) -> tuple[SourceStatus, ...]:
    """A status for every kind no source is given of: not asked is not the same as silent."""
    kinds = {source.kind for source in sources}
    return tuple(
        SourceStatus(kind, kind, "not_configured", "no address is set")
        for kind in KIND_NAMES
        if kind not in kinds
    )


def missing(statuses: Iterable[SourceStatus], labels: Mapping[str, str]) -> tuple[str, ...]:
    """What could not be had, a sentence a source; `labels` are the sources' names by slug."""
    sentences = []
    for one in statuses:
        label = labels.get(one.slug, KIND_NAMES.get(one.kind, one.kind))
        if one.status == "not_configured":
            sentences.append(f"{label}: not configured")
        elif one.status == "unavailable":
            sentences.append(f"{label} data unavailable: {one.detail}")
        elif one.status != "ok":
            sentences.append(f"{label}: {one.detail}")
    return tuple(sentences)


def _reason(run: Run) -> str:
    """Why nothing was answered; what says that the server is alive and well counts first."""
    if run.broken:
        return run.why_broken
    costly = [one for one in run.failures.values() if costs(one)]
    others = [one for one in run.failures.values() if not costs(one)]
    return next(iter(others + costly), "")


def costs(reason: str) -> bool:
    """Whether asking again would cost time or load: the server is out of reach or overloaded."""
    return reason in ("refused", "dns", "tls", "timeout", "429") or (
        len(reason) == 3 and reason.startswith("5")
    )


def _verdict(run: Run) -> tuple[SourceState, str]:
    if not run.source.is_configured:
        return "not_configured", "no address is set"
    if run.broken:
        return "unavailable", run.broken
    found = any(reply.found for reply in run.replies.values())
    if not found and len(run.reasons) >= len(run.replies):  # one that led nowhere is no answer
        return "unavailable", _reasons(run.reasons.values())
    dropped = sum(reply.dropped for reply in run.replies.values())
    failed = []
    if run.reasons:
        failed.append(
            f"{len(run.reasons)} of {len(run.futures)} queries failed "
            f"({_names(run.reasons)}): {_reasons(run.reasons.values())}"
        )
    failed += dict.fromkeys(note for reply in run.replies.values() for note in reply.partial)
    if found:
        said = [f"{dropped} NaN or infinite samples were left out"] if dropped else []
        said += dict.fromkeys(note for reply in run.replies.values() for note in reply.notes)
        return ("partial" if failed else "ok"), "; ".join([*failed, *said])
    only = f"only NaN or infinite values ({dropped} samples)" if dropped else "no data"
    nothing = f"answered, but with {only} for the time asked"
    why = dict.fromkeys(note for reply in run.replies.values() for note in reply.notes)
    return ("partial" if failed else "no_data"), "; ".join([*failed, nothing, *why])


def _names(queries: Iterable[str]) -> str:
    """The queries' names, at most four of them spelled out."""
    names = list(queries)
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more


def _reasons(reasons: Iterable[str]) -> str:
    """The distinct reasons, at most two of them spelled out."""
    distinct = list(dict.fromkeys(reasons))
    more = f" (and {len(distinct) - 2} other reasons)" if len(distinct) > 2 else ""
    return "; ".join(distinct[:2]) + more
