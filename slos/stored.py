"""An SLO's columns to its definition and back. JSON forms:

indicator: {"kind": "ratio", "total", "good" | "bad"}, {"kind": "latency", "histogram",
"seconds"} or {"kind": "threshold", "query", "op", "value"}; policies: [{"severity",
"long_seconds", "short_seconds", "factor"}].
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slos.burn import Policy
from slos.definition import Definition, Indicator, Latency, Ratio, Threshold, Wrong
from slos.periods import Period

if TYPE_CHECKING:
    from slos.models import SLO

KINDS: dict[str, tuple[type[Indicator], dict[str, type]]] = {
    "ratio": (Ratio, {"total": str, "good": str, "bad": str}),
    "latency": (Latency, {"histogram": str, "seconds": float}),
    "threshold": (Threshold, {"query": str, "op": str, "value": float}),
}
OPTIONAL = {"good", "bad"}
POLICY = ("severity", "long_seconds", "short_seconds", "factor")


def definition(row: SLO) -> Definition:
    """Raises Wrong for columns that hold what is no SLO."""
    return Definition(
        name=row.name,
        display_name=row.display_name,
        description=row.description,
        service=row.service.slug,
        indicator=indicator(row.indicator),
        target=row.target,
        period=period(row.period, row.rolling, row.time_zone, row.anchor),
        data_source=row.data_source.slug if row.data_source is not None else "",
        least_events=row.least_events,
        policies=policies(row.policies),
        labels=dict(row.labels),
    )


def columns(slo: Definition) -> dict[str, Any]:
    """The columns of a definition, but for service and data source, which are rows."""
    anchor = slo.period.anchor
    return {
        "name": slo.name,
        "display_name": slo.display_name,
        "description": slo.description,
        "indicator": indicator_json(slo.indicator),
        "target": slo.target,
        "period": str(slo.period),
        "rolling": slo.period.rolling,
        "time_zone": slo.period.time_zone,
        "anchor": anchor.strftime("%Y-%m-%d %H:%M:%S") if anchor else "",
        "least_events": slo.least_events,
        "policies": [policy_json(policy) for policy in slo.policies],
        "labels": dict(slo.labels),
    }


def indicator(form: Any) -> Indicator:
    """Raises Wrong naming the part."""
    if not isinstance(form, Mapping) or form.get("kind") not in KINDS:
        raise Wrong("indicator", f"needs a kind: {', '.join(KINDS)}.")
    made, fields = KINDS[form["kind"]]
    if unknown := sorted(set(form) - set(fields) - {"kind"}):
        raise Wrong(f"indicator.{unknown[0]}", f"a {form['kind']} has no such part.")
    given: dict[str, Any] = {}
    for name, kind in fields.items():
        value = form.get(name, "" if name in OPTIONAL else None)
        if kind is float and is_number(value):
            given[name] = float(value)
        elif kind is str and isinstance(value, str) and is_storable(value):
            given[name] = value
        else:
            words = "a number" if kind is float else "text"
            raise Wrong(f"indicator.{name}", f"must be {words}.")
    return made(**given)


def is_number(value: Any) -> bool:
    """Whether it is one that JSON has, too: finite, and not true or false."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float holds
        return False


def is_storable(text: str) -> bool:
    """Whether a database takes it: no NUL, no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def indicator_json(given: Indicator) -> dict[str, Any]:
    for kind, (made, fields) in KINDS.items():
        if isinstance(given, made):
            values = {name: getattr(given, name) for name in fields}
            kept = {n: v for n, v in values.items() if v != "" or n not in OPTIONAL}
            return {"kind": kind, **kept}
    raise TypeError(f"{given!r} is no indicator")


def policies(form: Any) -> tuple[Policy, ...]:
    """Raises Wrong for what is no list of policies."""
    if not isinstance(form, Sequence) or isinstance(form, str):
        raise Wrong("policies", "must be a list.")
    made: list[Policy] = []
    for item in form:
        if not isinstance(item, Mapping) or set(item) != set(POLICY):
            raise Wrong("policies", f"each has {', '.join(POLICY)}, and nothing else.")
        numbers = [item[name] for name in POLICY[1:]]
        if not all(is_number(number) for number in numbers):
            raise Wrong("policies", f"{', '.join(POLICY[1:])} must be numbers.")
        made.append(Policy(str(item["severity"]), *(float(number) for number in numbers)))
    return tuple(made)


def policy_json(policy: Policy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in POLICY}


def period(shorthand: str, rolling: bool, time_zone: str, anchor: str) -> Period:
    """Raises Wrong naming the part."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong("time_zone", f"{time_zone!r} is no IANA time zone.") from None
    try:
        start = datetime.fromisoformat(anchor) if anchor else None
    except ValueError:
        raise Wrong("anchor", "must be like 2026-01-31 00:00:00.") from None
    try:
        return Period.parse(shorthand, rolling=rolling, time_zone=time_zone, anchor=start)
    except ValueError as error:
        raise Wrong("period", str(error)) from None
