"""The figures as rows, for JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from incidents.stats.figures import METRICS, Group
from incidents.stats.overview import Asked, Overview
from incidents.stats.periods import following

HEADS = (
    *("group", "name", "incidents", "metric", "n"),
    *("mean_seconds", "median_seconds", "p90_seconds"),
)


def as_json(asked: Asked, found: Overview) -> dict[str, Any]:
    return {
        "since": asked.since,
        "until": asked.until,
        "period": asked.period,
        "time_zone": asked.zone.key,
        "service": asked.service or None,
        "severity": asked.severity or None,
        "overall": _group(found.overall),
        "by_severity": [{"severity": g.name, **_group(g)} for g in found.severities],
        "by_service": [{"service": g.name, **_group(g)} for g in found.services],
        "by_period": [
            {"first_day": day, "last_day": _last_day(day, asked.period), **_group(g)}
            for day, g in found.periods
        ],
    }


def as_rows(found: Overview) -> Iterator[tuple[Any, ...]]:
    """CSV's rows, HEADS first: one for each group and metric."""
    yield HEADS
    named = [("overall", found.overall)]
    named += [("severity", one) for one in found.severities]
    named += [("service", one) for one in found.services]
    named += [("period", one) for _day, one in found.periods]
    for kind, one in named:
        for metric in METRICS:
            of = one.of[metric]
            yield (kind, one.name, one.incidents, metric, of.n, of.mean, of.median, of.p90)


def _group(group: Group) -> dict[str, Any]:
    return {
        "incidents": group.incidents,
        **{
            metric: {
                "n": of.n,
                "mean_seconds": of.mean,
                "median_seconds": of.median,
                "p90_seconds": of.p90,
            }
            for metric, of in group.of.items()
        },
    }


def _last_day(first: date, period: str) -> date:
    return date.fromordinal(following(first, period).toordinal() - 1)
