"""What gathering is told and what it answers: scope, sources, windows, status. Plain values."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from correlation.telemetry import Change, LogLine, LogPattern, Series, Span, WorkloadState
from incidents.outbound.deadline import Deadline

SourceState = Literal["ok", "partial", "no_data", "unavailable", "not_configured"]

KIND_NAMES = {
    "prometheus": "Prometheus",
    "loki": "Loki",
    "tempo": "Tempo",
    "kubernetes": "Kubernetes",
}

BASELINE_SECONDS = 2700.0
LEAD_SECONDS = 300.0
"""The incident window begins this long before `started_at`: detection may be late."""
START_STEPS = 20
MAX_POINTS = 2000
"""Points of one range query; a longer span is asked at a coarser step (servers refuse 11,000)."""


@dataclass(frozen=True)
class FoundAs:
    """How one service of the catalogue is found in telemetry; all of it optional.

    `names` are what a kind of source calls it, by kind, "" for any kind (default: its slug).
    `queries` are PromQL by signal that replace the profile's. `sources` are the slugs of the
    data sources to ask about it, for the kinds among them.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    namespace: str = ""
    label_selector: str = ""
    profile: str = ""
    queries: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """What one analysis looks at; times in epoch seconds.

    `services` is the affected service with its neighbourhood as the catalogue knows it, empty
    for all; `edges` are (caller, callee); `roles` as in Telemetry. `lead_seconds` is how long
    before `started_at` the incident may have begun unnoticed, `baseline_seconds` how long
    before it the healthy reference begins. `found_as` is by service, for those that telemetry
    does not simply call by their slug.
    """

    target: str | None
    started_at: float
    as_of: float
    services: frozenset[str] = frozenset()
    edges: tuple[tuple[str, str], ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    environment: str = "production"
    lead_seconds: float = LEAD_SECONDS
    baseline_seconds: float = BASELINE_SECONDS
    found_as: Mapping[str, FoundAs] = field(default_factory=dict)

    def names_of(self, service: str, kind: str) -> tuple[str, ...]:
        """What a source of `kind` calls the service."""
        names = self.found_as.get(service, FoundAs()).names
        return names.get(kind) or names.get("") or (service,)

    def service_named(self, name: str, kind: str) -> str:
        """The service a source of `kind` means by `name`; the name itself when nobody claims it."""
        if self._claims is None:
            object.__setattr__(self, "_claims", {})
        assert self._claims is not None
        if kind not in self._claims:
            self._claims[kind] = {
                name: service
                for service in sorted(self.found_as)
                for name in self.names_of(service, kind)
            }
        return self._claims[kind].get(name, name)

    _claims: dict[str, dict[str, str]] | None = field(
        default=None, init=False, repr=False, compare=False
    )


@dataclass(frozen=True)
class Source:
    """One configured data source.

    `closed_because` says why it must not be asked now (its circuit breaker is open), "" when it
    may be. `client_certificate` is (certificate file, key file). For Kubernetes `kubeconfig` is
    a path, "" with an empty `url` for in-cluster credentials; the others need a `url`.

    `options`, all optional. Prometheus: `profile` (name), `window_seconds` (rate window, 60),
    `step_seconds` (15). Loki: `selector` (stream selector, `$services` stands for a regex of
    the scope's services), `level_label`, `limit` (lines), `service_labels`, `level_labels`.
    Tempo: `step_seconds` (15, of metrics). Kubernetes:
    `namespaces`. All: `concurrency` (8), `max_bytes` (16 MB an answer).
    """

    slug: str
    kind: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 5.0
    verify: bool | str = True
    client_certificate: tuple[str, str] | None = None
    kubeconfig: str = ""
    context: str = ""
    closed_because: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_configured(self) -> bool:
        return bool(self.url) or self.kind == "kubernetes"

    @property
    def label(self) -> str:
        """The source's name for a reader: "Prometheus", or "Prometheus (main)"."""
        name = KIND_NAMES.get(self.kind, self.kind)
        return name if self.slug == self.kind else f"{name} ({self.slug})"

    def number(self, option: str, default: float) -> float:
        """A positive number among the options. Raises ValueError naming the option."""
        value = self.options.get(option, default)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not (math.isfinite(number) and number > 0):
            raise ValueError(f"option {option} must be a positive number")
        return number

    def text(self, option: str, default: str) -> str:
        value = self.options.get(option, default)
        if not isinstance(value, str):
            raise ValueError(f"option {option} must be text")
        return value

    def texts(self, option: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self.options.get(option, default)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise ValueError(f"option {option} must be a list of texts")
        return tuple(value)


def http_arguments(source: Source) -> dict[str, Any]:
    """What every HTTP client of a source takes by these names; one place for all of them."""
    return {
        "headers": source.headers,
        "timeout_seconds": source.timeout_seconds,
        "verify": source.verify,
        "client_certificate": source.client_certificate,
    }


@dataclass(frozen=True)
class SourceStatus:
    """How a source did in one analysis. `queries` were sent, `seconds` until its last answer.

    `reason` is set when it is unavailable, for programs: a BackendError's kind, the HTTP status
    as text, "closed" when it was not asked, "setup" for wrong options.
    """

    slug: str
    kind: str
    status: SourceState
    detail: str = ""
    queries: int = 0
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Windows:
    """Baseline and incident window, (start, end) each, on a grid of `step` seconds."""

    baseline: tuple[float, float]
    window: tuple[float, float]


def windows(scope: Scope) -> Windows:
    """Healthy reference before the incident, and the incident up to the newest moment known.

    Both begin on a whole quarter of a minute (a short lead on whole 5 s), at or before the moment
    meant: incidents that were noticed seconds apart then ask the same questions.
    """
    grain = 15.0 if scope.lead_seconds >= 60.0 else 5.0
    start = math.floor((scope.started_at - scope.lead_seconds) / grain) * grain
    before = math.floor((scope.started_at - scope.baseline_seconds) / grain) * grain
    return Windows((before, start), (start, max(scope.as_of, start + 1.0)))


def grid(span: tuple[float, float], step: float) -> tuple[float, float, float]:
    """(start, end, step) of a range query; coarser when there would be too many points.

    Counted back from the newest whole second, not from a multiple of the step: a fault's first
    sample must not wait up to a step to be seen. All queries of an analysis share the grid. It
    begins up to START_STEPS steps early, so that incidents a little apart ask the same.
    """
    step *= max(1, math.ceil((span[1] - span[0]) / step / MAX_POINTS))
    end = math.floor(span[1])
    steps = math.ceil(max(end - span[0], 0.0) / step / START_STEPS) * START_STEPS
    return end - steps * step, float(end), step


@dataclass(frozen=True)
class Reply:
    """What one query gave.

    `partial` says in words why it may not be all there was; `notes` are worth saying, and take
    nothing from the answer. `healthy` counts objects that were seen and speak of no trouble (a
    pod that runs): an answer, though no evidence. `requests` is how many it took to get (pages
    count). `then` are the queries its answer leads to, by name, such as the traces a search found.
    """

    series: tuple[Series, ...] = ()
    lines: tuple[LogLine, ...] = ()
    patterns: tuple[LogPattern, ...] = ()
    spans: tuple[Span, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    workloads: tuple[WorkloadState, ...] = ()
    changes: tuple[Change, ...] = ()
    healthy: int = 0
    dropped: int = 0
    partial: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    requests: int = 1
    then: Mapping[str, Query] = field(default_factory=dict)

    @property
    def more_bytes(self) -> int:
        """Roughly what it weighs in memory beside these fields: for answers that carry more."""
        return 0

    @property
    def found(self) -> bool:
        """Whether it says anything at all about the time asked."""
        evidence = (self.series, self.lines, self.spans, self.edges, self.workloads, self.changes)
        return any(evidence) or self.healthy > 0


@dataclass(frozen=True)
class Query:
    """One question to a source: `ask` answers within its deadline or raises BackendError.

    Queries of one source with equal `key`s have equal answers, so analyses that start together
    share one; None is never shared.
    """

    ask: Callable[[Deadline], Reply]
    key: Hashable | None = None
