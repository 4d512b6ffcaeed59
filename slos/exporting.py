"""SLOs as files for other tools: OpenSLO, and Prometheus rules with Sloth's names."""

from __future__ import annotations

from collections.abc import Iterable

from correlation.data_sources.catalogue import source_of
from correlation.models import DataSource
from slos import sloth_rules
from slos.definition import Definition, Wrong
from slos.evaluating import asking
from slos.evaluating.evaluation import sources_of
from slos.models import SLO
from slos.openslo.writing import write


def exported(rows: Iterable[SLO], form: str) -> str:
    """The file of these SLOs; `form` is openslo or rules.

    One whose columns hold what is no SLO is left out, and a comment at the top says so. Rules
    count as the evaluation does: by the scrape interval of each SLO's source.
    """
    found: list[tuple[SLO, Definition]] = []
    left_out: list[str] = []
    for row in rows:
        try:
            found.append((row, row.definition()))
        except Wrong as wrong:
            left_out.append(f"# left out: {row.name}: {' '.join(str(wrong).split())}\n")
    if form == "openslo":
        return "".join(left_out) + write(definition for _, definition in found)
    scrapes = _scrape_seconds([row for row, _ in found])
    groups = [
        group
        for row, definition in found
        for group in sloth_rules.groups(definition, scrapes[row.name])
    ]
    return "".join(left_out) + sloth_rules.as_file(groups)


def _scrape_seconds(rows: list[SLO]) -> dict[str, float]:
    """By name, of the source that each is asked of; the usual one where there is none."""
    by_source = sources_of(rows)
    known = DataSource.objects.in_bulk([slug for slug in by_source if slug], field_name="slug")
    found: dict[str, float] = {}
    for slug, members in by_source.items():
        seconds = asking.SCRAPE_SECONDS
        if slug is not None:
            seconds = asking.scrape_seconds(source_of(known[slug]))
        found |= {row.name: seconds for row in members}
    return found
