"""The run that a report stands on, with its causes and evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from correlation.memory import verdicts
from correlation.models import Analysis, CauseVerdict, Correlation, RootCause
from correlation.panels import WORTH_SHOWING, newest_and_shown
from incidents.models import Incident

SHOWN_CAUSES = 3


@dataclass(frozen=True)
class Standing:
    """`run` None when no analysis came to an end; `causes` best first; `by_id` its evidence."""

    newest: Analysis | None
    run: Analysis | None
    causes: list[RootCause]
    by_id: dict[str, Correlation]
    verdicts: dict[Any, CauseVerdict]

    @property
    def top(self) -> RootCause | None:
        return self.causes[0] if self.causes else None


def standing_of(incident: Incident, as_of: datetime | None) -> Standing:
    newest, run = newest_and_shown(incident, as_of)
    if run is None:
        return Standing(newest, None, [], {}, {})
    causes = list(run.root_causes.filter(WORTH_SHOWING).order_by("rank")[:SHOWN_CAUSES])
    rows = {str(row.pk): row for row in run.correlations.order_by("rank")}
    return Standing(newest, run, causes, rows, dict(verdicts.current(incident.pk, as_of)))


def finite(value: float | None) -> float | None:
    """Canonical JSON has no word for the rest."""
    return value if value is not None and math.isfinite(value) else None
