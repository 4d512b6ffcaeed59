"""What a piece of evidence says beyond its numbers, as label and text. Pure.

Details are written by several hands and kept for years: what is missing is left out, what is
of an unexpected shape is shown as text or not at all, and nothing here raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from correlation.units import humanised, seconds_in_words

Fact = tuple[str, str]

PLACES = {
    "namespace": "Namespace",
    "workload": "Workload",
    "pod": "Pod",
    "pods": "Pods",
    "container": "Container",
    "node": "Node",
    "autoscaler": "Autoscaler",
    "exit_code": "Exit code",
    "memory_limit": "Memory limit",
    "image": "Image",
    "revision": "Revision",
    "restarts": "Restarts",
}
"""Of what a cluster said, in this order."""

ABOUT_SECONDS = 10.0
"""Onsets are known to a sample or so: closer than this, before and after cannot be told apart."""


def facts(type: str, signal: str, value: float | None, details: Mapping[str, Any]) -> list[Fact]:
    """(label, text) in reading order, for `Correlation.type`, `signal`, `value`, `details`."""
    if type == "kubernetes":
        return _cluster_facts(signal, value, details)
    if type == "trace":
        return _trace_facts(signal, details)
    if type == "change":
        return _change_facts(signal, details)
    return []


def set_apart(details: Mapping[str, Any]) -> list[str]:
    """What sets the failed spans apart: "service.version = 2.4.1: 95 % of the failed, ..."."""
    given = details.get("apart")
    rows = [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
    return [line for line in map(_apart, rows) if line]


def _cluster_facts(signal: str, value: float | None, details: Mapping[str, Any]) -> list[Fact]:
    found = [("Reason", signal)]
    several = details.get("pods") != details.get("pod")
    shown = [key for key in PLACES if key != ("pod" if several and details.get("pods") else "pods")]
    found += [(PLACES[key], _text(details.get(key))) for key in shown]
    if value is not None and value > 1:
        found.append(("Count", f"{humanised(value, 'count')} times"))
    found.append(("Message", _text(details.get("message"))))
    return _said(found)


def _trace_facts(signal: str, details: Mapping[str, Any]) -> list[Fact]:
    share, n = _share(details.get("share")), _count(details.get("n"))
    failed, usual = _count(details.get("failed_traces")), _count(details.get("compared_with"))
    found = [("Operation", _text(details.get("operation")))]
    if signal == "trace_slow":
        found.append(("Share", f"{share} of the time that slow traces lose" if share else ""))
        found.append(("Traces", f"{n} slow, {usual or 'no'} usual" if n else ""))
    elif failed:
        found.append(("Share", f"{n or 0} of {failed} failed traces ({share})" if share else ""))
    else:
        found.append(("Share", f"{share} of the failed traces" if share else ""))
    return _said(found)


def _change_facts(signal: str, details: Mapping[str, Any]) -> list[Fact]:
    lead = details.get("seconds_before_onset")
    when = ""
    if _is_number(lead):
        side = "before" if lead >= 0 else "after"
        when = f"{seconds_in_words(round(abs(lead)))} {side} the trouble began"
        if abs(lead) < ABOUT_SECONDS:
            when = "about when the trouble began"
    return _said([("Kind", signal.replace("_", " ")), ("Recorded", when)])


def _apart(one: Mapping[str, Any]) -> str:
    name, value = _text(one.get("attribute")), _text(one.get("value"))
    failed, others = _share(one.get("failed")), _share(one.get("others"))
    line = f"{name} = {value}" if name and value else ""
    if line and failed:
        line += f": {failed} of the failed" + (f", {others} of the others" if others else "")
    return line


def _said(found: list[Fact]) -> list[Fact]:
    return [(label, text) for label, text in found if text]


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(text for text in map(_text, value) if text)
    return "" if value is None or isinstance(value, Mapping | bool) else str(value)


def _count(value: Any) -> int:
    return int(value) if _is_number(value) else 0


def _share(value: Any) -> str:
    return humanised(float(value), "ratio") if _is_number(value) else ""


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
