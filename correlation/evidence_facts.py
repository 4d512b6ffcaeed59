"""What a piece of evidence says beyond its numbers, as label and text. Pure.

Details are written by several hands and kept for years: what is missing is left out, what is
of an unexpected shape is shown as text or not at all, and nothing here raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from correlation.units import humanised, seconds_in_words

Fact = tuple[str, str]

PLACES = {
    "namespace": "Namespace",
    "workload": "Workload",
    "pod": "Pod",
    "pods": "Pods",
    "container": "Container",
    "node": "Node",
    "exit_code": "Exit code",
    "image": "Image",
    "revision": "Revision",
    "restarts": "Restarts",
}
"""Of what a cluster said, in this order."""


def facts(type: str, signal: str, value: float | None, details: Mapping[str, Any]) -> list[Fact]:
    """(label, text) in reading order, for `Correlation.type`, `signal`, `value`, `details`."""
    if type == "kubernetes":
        return _cluster_facts(signal, value, details)
    if type == "trace":
        return _trace_facts(details)
    if type == "change":
        return _change_facts(signal, details)
    return []


def set_apart(details: Mapping[str, Any]) -> list[str]:
    """What sets the failed spans apart from the others, a line each: "version = 2.4.1"."""
    given = details.get("attributes") or details.get("apart")
    if isinstance(given, Mapping):
        return [f"{key} = {_text(value)}" for key, value in given.items() if _text(value)]
    return [line for line in map(_apart, given if isinstance(given, list) else []) if line]


def messages(details: Mapping[str, Any]) -> list[str]:
    """Sample status messages of failed spans, each once."""
    given = details.get("messages") or details.get("samples")
    texts = [one.strip() for one in given if isinstance(one, str)] if _is_list(given) else []
    return [text for text in dict.fromkeys(texts) if text]


def _cluster_facts(signal: str, value: float | None, details: Mapping[str, Any]) -> list[Fact]:
    attributes = details.get("attributes")
    known = {**(dict(attributes) if isinstance(attributes, Mapping) else {}), **details}
    known = {key.replace(" ", "_"): text for key, text in known.items()}
    found = [("Reason", signal)]
    found += [(label, _text(known.get(key))) for key, label in PLACES.items()]
    if value is not None and value > 1:
        found.append(("Count", f"{humanised(value, 'count')} times"))
    found.append(("Message", _text(details.get("message"))))
    return _said(found)


def _trace_facts(details: Mapping[str, Any]) -> list[Fact]:
    count, usual = details.get("n"), details.get("share_baseline")
    share = _share(details.get("share"))
    if share and isinstance(count, int):
        share += f" of {count} sampled trace{'' if count == 1 else 's'}"
    if share and _share(usual):
        share += f" ({_share(usual)} before)"
    return _said([("Operation", _text(details.get("operation"))), ("Share", share)])


def _change_facts(signal: str, details: Mapping[str, Any]) -> list[Fact]:
    lead = details.get("seconds_before_onset")
    when = ""
    if _is_number(lead):
        side = "before" if lead >= 0 else "after"
        when = f"{seconds_in_words(abs(lead))} {side} the trouble began"
    return _said([("Kind", signal.replace("_", " ")), ("Recorded", when)])


def _apart(one: Any) -> str:
    if not isinstance(one, Mapping):
        pair = _is_list(one) and len(one) == 2
        return f"{_text(one[0])} = {_text(one[1])}" if pair else _text(one)
    name, value = _text(one.get("name") or one.get("key")), _text(one.get("value"))
    failed, others = _share(one.get("failed")), _share(one.get("others"))
    line = f"{name} = {value}" if name and value else ""
    if line and failed:
        line += f": {failed} of the failed" + (f", {others} of the others" if others else "")
    return line


def _said(found: list[Fact]) -> list[Fact]:
    return [(label, text) for label, text in found if text]


def _text(value: Any) -> str:
    if _is_list(value):
        return ", ".join(text for text in map(_text, value) if text)
    return "" if value is None or isinstance(value, Mapping | bool) else str(value)


def _share(value: Any) -> str:
    return humanised(float(value), "ratio") if _is_number(value) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
