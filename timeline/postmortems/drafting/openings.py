"""Summary, impact, trigger, detection. Pure."""

from __future__ import annotations

from timeline.postmortems.drafting import wording
from timeline.postmortems.drafting.wording import beside, clock, day_clock, lasted, listed
from timeline.postmortems.facts import Facts, cited
from timeline.reporting.markdown import escaped, percent, quoted


def summary(facts: Facts) -> str:
    opened, resolved = facts.first("incident_created"), facts.first("incident_resolved")
    names = [one.slug for one in facts.services]
    where = listed(names) if names else "services that nobody named"
    began = cited(
        f"On {day_clock(facts.started_at)} a {facts.severity} incident began in "
        f"{facts.environment}: {facts.title.rstrip('.')}. It affected {where}.",
        [opened],
    )
    parts = [began]
    if facts.cause is not None and facts.cause.title and not facts.cause.inconclusive:
        parts.append(_cause(facts))
    if facts.mttr is not None:
        parts.append(cited(f"It was resolved after {lasted(facts.mttr)}.", [resolved]))
    return " ".join(parts)


def _cause(facts: Facts) -> str:
    cause = facts.cause
    assert cause is not None
    said = facts.of("root_cause_identified")
    if cause.confirmed:
        how = f"{cause.confirmed} confirmed the cause"
    else:
        sure = f", with a confidence of {percent(cause.confidence)}" if cause.confidence else ""
        how = f"The most likely cause{sure}, which nobody has confirmed"
    return cited(f"{how}: {cause.title.rstrip('.')}.", said[-1:])


def impact(facts: Facts) -> str:
    mitigated = facts.first("mitigation_applied")
    end = facts.ttm if facts.ttm is not None else facts.mttr
    parts = []
    if end is not None:
        until = "mitigated" if facts.ttm is not None else "resolved"
        event = mitigated if facts.ttm is not None else facts.first("incident_resolved")
        parts.append(cited(f"It failed for {lasted(end)}, until it was {until}.", [event]))
    for word in ("primary", "secondary", "tertiary"):
        names = [one.slug for one in facts.services if one.impact == word]
        if names:
            parts.append(escaped(f"Services hit as {word}: {listed(names, 8)}."))
    breaches = facts.of("slo_breach")
    parts += [cited(f"{event.title.rstrip('.')}.", [event]) for event in breaches]
    if facts.impact:
        parts += [escaped(f"{label}: {value}.") for label, value in facts.impact]
    else:
        parts.append(
            "How many users and how much revenue it cost is not known: nothing measured it."
        )
    return wording.bullets(parts)


def trigger(facts: Facts) -> str:
    cause = facts.cause
    changes = facts.of("change")
    if cause is not None and cause.change:
        blamed = [event for event in changes if _is_blamed(event.title, cause.change)]
        said = f"The analysis blames a change: {cause.change.rstrip('.')}."
        return cited(said, (blamed or changes)[-1:])
    first = wording.first_signal(facts)
    if first is not None:
        return wording.paragraphs(
            [
                "No change on record is to blame, so what set it off is not known.",
                cited(f"The first that was seen of it: {first.title}, {clock(first.at)}.", [first]),
            ]
        )
    return "Nothing on record says what set it off."


def _is_blamed(title: str, change: str) -> bool:
    words = {word for word in title.lower().split() if len(word) > 3}
    return bool(words & set(change.lower().split()))


def detection(facts: Facts) -> str:
    opened, alert = facts.first("incident_created"), facts.first("alert_firing", "heartbeat")
    parts = []
    first = wording.first_signal(facts)
    if first is not None:
        lead = facts.started_at + (facts.ttd or 0.0) - first.at
        before = f", {lasted(lead)} before the incident was opened" if lead >= 1.0 else ""
        parts.append(
            cited(f"The first signal was at {clock(first.at)}{before}: {first.title}.", [first])
        )
    if wording.by_alert(facts) and alert is not None:
        how = f"It was found by a machine: {alert.title}"
        parts.append(cited(f"{how}.", [alert, opened]))
    else:
        who = opened.by if opened is not None and opened.by else None
        found = f"{who} opened the incident" if who else "It was opened through the API"
        lacking = "no alert had fired" if alert is None else "an alert fired as well"
        parts.append(cited(f"{found}; {lacking}.", [opened, alert]))
    if facts.ttd is not None:
        parts.append(
            cited(
                f"It took {lasted(facts.ttd)} from the start to detection"
                f"{beside(facts.typical_ttd)}.",
                [opened],
            )
        )
    if facts.mtta is not None:
        step = wording.acknowledged_by(facts)
        who = step.by if step is not None else "somebody"
        took = f"{who} took it up {lasted(facts.mtta)} after the start"
        parts.append(cited(f"{took}{beside(facts.typical_mtta)}.", [step]))
    else:
        parts.append("Nobody acknowledged it.")
    return wording.paragraphs(parts)


def recorded(words: str, text: str) -> str:
    return f"{words}\n\n{quoted(text)}" if text.strip() else ""
