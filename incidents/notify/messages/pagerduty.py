"""PagerDuty's Events API v2: one alert an incident, by its dedup_key; no I/O.

https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
"""

from __future__ import annotations

from typing import Any

from incidents.notify.events import PAGERDUTY_ACTIONS
from incidents.notify.messages.message import Facts, Message, headline, lines

PATH = "/v2/enqueue"
MOST_SUMMARY = 1024
SEVERITIES = {"critical": "critical", "high": "error", "medium": "warning", "low": "info"}


def dedup_key(facts: Facts) -> str:
    """The same for all that is told of an incident."""
    return f"reliability-studio/{facts['incident']}"


def body(message: Message, routing_key: str) -> dict[str, Any]:
    facts = message.facts
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": PAGERDUTY_ACTIONS[facts["event"]],
        "dedup_key": dedup_key(facts),
    }
    if event["event_action"] == "trigger":
        event |= {"client": "Reliability Studio", "client_url": message.link()}
        event["links"] = [{"href": message.link(), "text": facts["reference"]}]
    event["payload"] = {
        "summary": headline(facts)[:MOST_SUMMARY],
        "source": ", ".join(facts["services"]) or facts["environment"],
        "severity": SEVERITIES[facts["severity"]],
        "timestamp": facts["at"],
        "component": facts["services"][0] if facts["services"] else "",
        "group": facts["environment"],
        "class": facts["event"],
        "custom_details": {**dict(lines(facts)), "idempotency_key": message.key},
    }
    return event
