"""A look at what the sources show now: the analysis' own questions over the last minutes.

Each source is asked by itself, all at the same time, so that what one shows can be told from what
another does. Beside the plan of the analysis a source is probed and its inventory taken: a fixed
number of requests, however many services there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from correlation.data_sources.probe import Probe, probe
from correlation.doctor.inventory import Inventory, take
from correlation.gather import gather
from correlation.sources import FoundAs, Scope, Source, SourceStatus, windows
from correlation.telemetry import Telemetry
from incidents.outbound.deadline import Deadline

WINDOW_SECONDS = 900.0
_BEFORE_SECONDS = 60.0
"""The plans compare with a time before; this much of it is enough here."""


@dataclass(frozen=True)
class Look:
    """What one source showed. `window` is (start, end) in epoch seconds."""

    source: Source
    probe: Probe
    status: SourceStatus
    telemetry: Telemetry
    window: tuple[float, float]
    inventory: Inventory = field(default_factory=Inventory)


def recent(
    now: float,
    environment: str,
    services: Iterable[str] = (),
    found_as: Mapping[str, FoundAs] | None = None,
    roles: Mapping[str, str] | None = None,
) -> Scope:
    """The last WINDOW_SECONDS before `now` (epoch seconds) of the services, of all when empty."""
    return Scope(
        target=None,
        started_at=now,
        as_of=now,
        services=frozenset(services),
        roles=roles or {},
        environment=environment,
        lead_seconds=WINDOW_SECONDS,
        baseline_seconds=WINDOW_SECONDS + _BEFORE_SECONDS,
        found_as=found_as or {},
    )


def look(scope: Scope, sources: Sequence[Source], deadline_seconds: float) -> tuple[Look, ...]:
    """One Look a source, in their order, within the deadline. Raises for no source."""
    if not sources:
        return ()
    deadline = Deadline(deadline_seconds)
    with ThreadPoolExecutor(3 * len(sources), thread_name_prefix="look") as pool:
        asked = [
            (
                source,
                pool.submit(gather, scope, [source], deadline_seconds),
                pool.submit(probe, source, deadline),
                pool.submit(take, source, scope, deadline),
            )
            for source in sources
        ]
        found = []
        for source, gathered, probed, taken in asked:
            telemetry, statuses = gathered.result()
            found.append(
                Look(
                    source=source,
                    probe=probed.result(),
                    status=statuses[0],
                    telemetry=telemetry,
                    window=windows(scope).window,
                    inventory=taken.result(),
                )
            )
    return tuple(found)
