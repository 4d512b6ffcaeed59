"""Action items that the record suggests. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from timeline.postmortems.drafting import wording
from timeline.postmortems.drafting.wording import beside, lasted, pace
from timeline.postmortems.facts import Facts, cited

MOST = 12
LONGEST = 300
CHECKS = ("act", "blind_spot")


@dataclass(frozen=True)
class Suggestion:
    """`key` stays the same from one draft to the next; `why` is Markdown."""

    key: str
    title: str
    why: str


def suggestions(facts: Facts) -> list[Suggestion]:
    """At most MOST, what prevents it from happening again first."""
    made = [*_from_cause(facts), *_from_detection(facts), *_from_gaps(facts)]
    unique = {one.key: one for one in reversed(made)}
    return [one for one in made if unique[one.key] is one][:MOST]


def _from_cause(facts: Facts) -> list[Suggestion]:
    cause = facts.cause
    if cause is None:
        return []
    made = []
    said = facts.of("root_cause_identified")[-1:]
    if cause.title and not cause.inconclusive:
        made.append(
            _suggestion(
                f"prevent:{cause.service}",
                f"Keep this from happening again: {cause.title.rstrip('.')}",
                cited("The first cause of the analysis.", said),
            )
        )
    if cause.change:
        made.append(
            _suggestion(
                f"guard:{cause.service}",
                f"Find out why the change to {cause.service} was not held back before it did harm",
                cited(f"The analysis blames: {cause.change.rstrip('.')}.", facts.of("change")[-1:]),
            )
        )
    for purpose, text in cause.checks:
        if purpose in CHECKS:
            made.append(
                _suggestion(f"check:{_slug(text)}", text.rstrip("."), "Advised by the analysis.")
            )
    return made


def _from_detection(facts: Facts) -> list[Suggestion]:
    made = []
    opened, step = facts.first("incident_created"), wording.acknowledged_by(facts)
    first = facts.services[0].slug if facts.services else "what failed"
    if facts.first("alert_firing", "heartbeat") is None:
        signal = facts.first("metric_spike", "log_pattern", "trace", "pod")
        title = f"Add an alert that finds this at {first}"
        why = f"No alert fired; this could have: {signal.title}." if signal else "No alert fired."
        made.append(_suggestion("alert", title, cited(why, [signal or opened])))
    elif facts.ttd is not None and pace(facts.ttd, facts.typical_ttd) == "slow":
        why = f"It took {lasted(facts.ttd)} to notice it{beside(facts.typical_ttd)}."
        made.append(
            _suggestion("detect", f"Make the alerts of {first} quicker", cited(why, [opened]))
        )
    if facts.mtta is None or pace(facts.mtta, facts.typical_mtta) == "slow":
        took = "Nobody acknowledged it" if facts.mtta is None else f"It took {lasted(facts.mtta)}"
        why = cited(f"{took}{beside(facts.typical_mtta)}.", [step])
        made.append(_suggestion("acknowledge", "Look at who is paged, and how", why))
    for event in facts.of("alert_flapping")[:1]:
        title = "Settle the alert that flapped"
        made.append(_suggestion("flapping", title, cited(f"{event.title}.", [event])))
    return made


def _from_gaps(facts: Facts) -> list[Suggestion]:
    made = []
    for event in facts.of("source_unavailable"):
        name = str(event.data.get("data_source", "")) or "the data source"
        made.append(
            _suggestion(
                f"source:{name}",
                f"Make {name} answer during incidents",
                cited(f"{event.title.rstrip('.')}.", [event]),
            )
        )
    for one in facts.services:
        if not one.runbook_url:
            why = f"There is none for {one.slug}."
            made.append(_suggestion(f"runbook:{one.slug}", f"Write a runbook for {one.slug}", why))
    if not facts.impact:
        first = facts.services[0].slug if facts.services else "what failed"
        made.append(
            _suggestion("slo", f"Define an SLO for {first}", "What it cost users was not measured.")
        )
    return made


def _suggestion(key: str, title: str, why: str) -> Suggestion:
    short = title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"
    return Suggestion(key[:200], short, why)


def _slug(text: str) -> str:
    """Numbers left out: the same advice with other figures is the same."""
    return re.sub(r"[^a-z]+", "-", text.lower()).strip("-")
