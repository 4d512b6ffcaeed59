"""What the incident page shows of the analysis: causes, evidence, sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from correlation.explaining.cause_card import card_of, steps_of
from correlation.memory import verdict_panel, verdicts
from correlation.models import Analysis, Correlation
from incidents.live import Panel, register
from incidents.models import Incident

FRONT_ROWS = 10
MOST_ROWS = 40
WORTH_SHOWING = Q(rank=1) | Q(confidence__gte=0.01)


def newest_and_shown(
    incident: Incident, as_of: datetime | None
) -> tuple[Analysis | None, Analysis | None]:
    """(the newest run, the one the incident stands on) as known at `as_of`."""
    runs = incident.analyses.order_by("-queued_at", "-id")
    finished = incident.analyses.stood().order_by("-finished_at", "-id")
    if as_of is not None:
        runs = runs.filter(queued_at__lte=as_of)
        finished = finished.filter(finished_at__lte=as_of)
    newest = runs.first()
    if newest is not None and as_of is not None:
        newest.forget_after(as_of)
    return newest, finished.first()


def causes(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    newest, shown = newest_and_shown(incident, as_of)
    ranked = list(shown.root_causes.filter(WORTH_SHOWING).order_by("rank")[:5]) if shown else []
    holding = verdicts.current(incident.pk, as_of) if shown else {}
    verdicts.judged(ranked, holding)
    by_id: dict[str, Correlation] = {}
    if shown and (ranked or shown.checks):
        by_id = {str(row.pk): row for row in shown.correlations.all()}
    for cause in ranked:
        cause.card = card_of(cause, by_id)  # type: ignore[attr-defined]
    return {
        "newest": newest,
        "shown": shown,
        "causes": ranked,
        "steps": steps_of(shown.checks, by_id) if shown else [],
        **verdict_panel.other_causes(ranked, holding, by_id.values()),
    }


def evidence(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    _newest, shown = newest_and_shown(incident, as_of)
    rows = list(shown.correlations.order_by("rank")[:MOST_ROWS]) if shown else []
    top = shown.root_causes.filter(rank=1).first() if shown else None
    supporting = set(top.supporting) if top else set()
    telling = sorted(rows, key=lambda row: (str(row.pk) not in supporting, row.rank))
    front = sorted(one_of_each_first(telling, rows)[:FRONT_ROWS], key=lambda row: row.rank)
    in_front = {row.pk for row in front}
    behind = [row for row in rows if row.pk not in in_front]
    return {"shown": shown, "correlations": rows, "front": front, "behind": behind}


def one_of_each_first(
    rows: Sequence[Correlation], rest: Sequence[Correlation] | None = None
) -> list[Correlation]:
    """The first row of each type, then `rest` (by default the other rows) in its order."""
    first = {row.type: row for row in reversed(rows)}
    chosen = [row for row in rows if first[row.type] is row]
    return chosen + [row for row in (rows if rest is None else rest) if row not in chosen]


def sources(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """The newest run that has heard from its sources, failed ones included."""
    runs = incident.analyses.exclude(sources={}).order_by("-queued_at", "-id")
    if as_of is not None:
        runs = runs.filter(finished_at__lte=as_of)
    run = runs.first()
    asked = run.sources if run else {}
    return {
        "run": run,
        "sources": [{"slug": slug, **state} for slug, state in sorted(asked.items())],
        "missing": run.missing if run else [],
        "rules_skipped": run.rules_skipped if run else [],
    }


PANELS = ("causes", "evidence", "sources")


def register_panels() -> None:
    register(Panel("causes", "correlation/_causes.html", causes, column="main", order=10))
    register(Panel("evidence", "correlation/_evidence.html", evidence, column="main", order=20))
    register(Panel("sources", "correlation/_sources.html", sources, column="side", order=40))
