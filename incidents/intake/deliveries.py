"""What becomes of a delivered body: read, held to the limits, stored or kept as rejected."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings

from incidents.intake import alertmanager, alerts, events, grafana, limits
from incidents.intake.proof import Proof, Unproven
from incidents.intake.received import Parsed, Unacceptable, digest
from incidents.models import AlertSource, Delivery

PARSERS: dict[str, Callable[[Any], Parsed]] = {
    AlertSource.Kind.ALERTMANAGER: alertmanager.parse,
    AlertSource.Kind.GRAFANA: grafana.parse,
    AlertSource.Kind.EVENTS: events.parse,
    AlertSource.Kind.INTERNAL: alertmanager.parse,
}


class Unreadable(Exception):
    """The body is not JSON; the message says where it stops being."""


def read(raw: bytes) -> Any:
    """The body as JSON. Raises Unreadable."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The body is not JSON: {error}") from error


def as_text(raw: bytes) -> str:
    """The body as it is kept: what a database cannot hold is replaced."""
    return raw.decode(errors="replace").replace("\x00", "")


def reject_length(source: AlertSource, kind: str, text: str) -> Delivery:
    """Keep what was read of a body that turned out to be over INTAKE_MAX_BYTES."""
    why = f"the body is larger than INTAKE_MAX_BYTES ({settings.INTAKE_MAX_BYTES} bytes)"
    return alerts.reject(source, text, f"{why}; it is kept up to there", kind=kind)


def take(
    source: AlertSource,
    kind: str,
    body: Any,
    text: str,
    *,
    again: Delivery | None = None,
    proof: Proof | None = None,
) -> Delivery:
    """Store what the body says, or keep it as rejected. `again` and `proof` as in `alerts.store`.

    Raises Unproven.
    """
    try:
        parsed = limits.within(PARSERS[kind](body))
    except Unacceptable as problem:
        if proof is not None:
            raise Unproven from problem
        return alerts.reject(source, text, str(problem), kind=kind, again=again)
    return alerts.store(
        source,
        text,
        parsed.alerts,
        kind=kind,
        refused=parsed.refused,
        acknowledges=digest(parsed.acknowledges) if parsed.acknowledges else "",
        again=again,
        proof=proof,
    )
