"""Grafana's alerting webhook: Alertmanager's shape, with more about each alert.

Its links are kept as annotations, so that a page about the alert can offer them. `orgId`,
`title`, `state` and `message` say nothing that the alerts do not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from incidents.intake.alertmanager import read_alert
from incidents.intake.received import (
    Parsed,
    ReceivedAlert,
    Unacceptable,
    clean,
    each,
    text,
)

LINKS = {
    "dashboardURL": "dashboard_url",
    "panelURL": "panel_url",
    "silenceURL": "silence_url",
    "imageURL": "image_url",
}
LONGEST_VALUES = 1000


def parse(body: Any) -> Parsed:
    """The alerts of a webhook body. Raises Unacceptable naming the field that is wrong."""
    if not isinstance(body, dict):
        raise Unacceptable("the body is not a JSON object")
    return each(body.get("alerts"), "alerts", _read)


def _read(item: Any, where: str) -> ReceivedAlert:
    alert = read_alert(item, where)
    more = {name: text(item.get(field)) for field, name in LINKS.items() if text(item.get(field))}
    values = item.get("values")
    if isinstance(values, dict) and values:
        said = ", ".join(f"{name}={value}" for name, value in sorted(values.items()))
        more["values"] = clean(said)[:LONGEST_VALUES]
    return replace(alert, annotations={**more, **alert.annotations})
