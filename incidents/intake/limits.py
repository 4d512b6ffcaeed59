"""How large a delivery and its alerts may be; what is above is kept, for people to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.conf import settings

from incidents.intake.received import Parsed, Unacceptable


def within(parsed: Parsed) -> Parsed:
    """Without the alerts that are too large, which are refused by name.

    Raises Unacceptable when there are too many alerts, or none is left.
    """
    most = settings.INTAKE_MAX_ALERTS
    if len(parsed.alerts) > most:
        raise Unacceptable(f"alerts: {len(parsed.alerts)} are more than INTAKE_MAX_ALERTS ({most})")
    kept, refused = [], list(parsed.refused)
    for alert in parsed.alerts:
        problem = too_large(alert.labels, alert.annotations, alert.fingerprint)
        if problem is None:
            kept.append(alert)
        else:
            refused.append(f"{alert.name}: {problem}")
    if len(kept) == len(parsed.alerts):
        return parsed
    if not kept:
        raise Unacceptable("; ".join(refused))
    return replace(parsed, alerts=kept, refused=refused)


def too_large(
    labels: Mapping[str, str], annotations: Mapping[str, str], fingerprint: str
) -> str | None:
    """What of an alert is over a limit, and over which; None when nothing is."""
    for field, texts in (("labels", labels), ("annotations", annotations)):
        if len(texts) > settings.INTAKE_MAX_LABELS:
            limit = f"INTAKE_MAX_LABELS ({settings.INTAKE_MAX_LABELS})"
            return f"{len(texts)} {field} are more than {limit}"
    most = settings.INTAKE_MAX_LABEL_LENGTH
    if len(fingerprint) > most:
        return f"its fingerprint is longer than INTAKE_MAX_LABEL_LENGTH ({most})"
    for name, text in labels.items():
        if len(name) > most or len(text) > most:
            return f"the label {name[:60]} is longer than INTAKE_MAX_LABEL_LENGTH ({most})"
    return None
