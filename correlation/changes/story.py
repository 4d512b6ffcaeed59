"""Why this change and not the newest one, or why none, in a few lines for a responder."""

from __future__ import annotations

from correlation.changes.attribution import Attribution, Weighed
from correlation.telemetry import Change
from correlation.units import clock, seconds_in_words

LONGEST = 60
"""Characters of a title or an edit that a line has room for."""

OUTSIDE = {
    "node": "the machines below",
    "outside": "somebody else's system",
    "expired": "something that ran out by itself",
    "time": "clocks",
    "hardware": "hardware or network",
    "crowd": "unusual traffic",
    "filled": "something that filled up",
    "routine": "routine work or a failover",
}


def why_change(attribution: Attribution, first: bool = True) -> list[str]:
    """What speaks for the change to blame and against the newest, or why none is to blame.

    Empty where no change was recorded; why none is said of the `first` cause alone.
    """
    if not attribution.looked_at:
        return []
    blamed = attribution.blamed
    if blamed is None:
        return _none(attribution) if first else []
    lines = []
    if blamed.hazard is not None:
        lines.append(f"it {blamed.hazard.hazard.says} ({_cut(blamed.hazard.detail)})")
    if blamed.frame:
        lines.append(f"the code that fails names {blamed.frame}")
    timely = [one for one in attribution.looked_at if one is blamed or not one.late]
    newest = max(timely, key=lambda one: (one.landing.at, one.change.id))
    if newest.landing.at > blamed.landing.at:
        lines.append(f"the newest, {_named(newest.change)}, {newest.against or 'fits less'}")
    return lines


def landed(one: Weighed) -> str:
    """What the change is, what brought it out, when, and how long before the trouble."""
    said = _named(one.change)
    carrier = one.landing.carried_by
    if carrier is not None:
        said += f", out with {_named(carrier)} of {carrier.service},"
    said += f" at {clock(one.landing.at)}"
    lead = one.lead_seconds or 0.0
    return said + (f", {seconds_in_words(lead)} before the trouble" if lead >= 1.0 else "")


def _none(attribution: Attribution) -> list[str]:
    looked = attribution.looked_at
    count = "1 change looked at" if len(looked) == 1 else f"{len(looked)} changes looked at"
    likeliest = looked[0]
    why = likeliest.against or "fits too little to be blamed"
    lines = [f"none to blame, {count}: the likeliest, {_named(likeliest.change)}, {why}"]
    if attribution.unprompted:
        names = " and ".join(OUTSIDE[name] for name in attribution.unprompted[:2])
        lines.append(f"none is needed where the evidence points to {names}")
    return lines


def _named(change: Change) -> str:
    """Kind and title; the id says nothing to a reader and stays out."""
    title = " ".join(change.title.split())
    if not title:
        return f"{change.kind} of {change.service}" if change.service else change.kind
    return f'{change.kind} "{_cut(title)}"'


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3].rstrip()}..."
