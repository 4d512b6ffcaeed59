"""How large a delivery and its alerts may be; what is above is kept, for people to see."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings

from incidents.intake.received import Parsed, ReceivedAlert, Unacceptable


def within(parsed: Parsed) -> Parsed:
    """Without the alerts that are too large, which are refused by name.

    Raises Unacceptable when there are too many alerts, or none is left.
    """
    most = settings.INTAKE_MAX_ALERTS
    if len(parsed.alerts) > most:
        raise Unacceptable(f"alerts: {len(parsed.alerts)} are more than INTAKE_MAX_ALERTS ({most})")
    kept, refused = [], list(parsed.refused)
    for alert in parsed.alerts:
        problem = _problem(alert)
        if problem is None:
            kept.append(alert)
        else:
            refused.append(f"{alert.name}: {problem}")
    if len(kept) == len(parsed.alerts):
        return parsed
    if not kept:
        raise Unacceptable("; ".join(refused))
    return replace(parsed, alerts=kept, refused=refused)


def _problem(alert: ReceivedAlert) -> str | None:
    for field, texts in (("labels", alert.labels), ("annotations", alert.annotations)):
        if len(texts) > settings.INTAKE_MAX_LABELS:
            limit = f"INTAKE_MAX_LABELS ({settings.INTAKE_MAX_LABELS})"
            return f"{len(texts)} {field} are more than {limit}"
    most = settings.INTAKE_MAX_LABEL_LENGTH
    if len(alert.fingerprint) > most:
        return f"its fingerprint is longer than INTAKE_MAX_LABEL_LENGTH ({most})"
    for name, text in alert.labels.items():
        if len(name) > most or len(text) > most:
            return f"the label {name[:60]} is longer than INTAKE_MAX_LABEL_LENGTH ({most})"
    return None
