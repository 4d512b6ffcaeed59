"""Drafts each section of a postmortem from the facts, in whole sentences. Pure, no language model.

Every statement names the events of the timeline that it rests on.
"""

from __future__ import annotations

from collections.abc import Callable

from timeline.postmortems.drafting.ends import resolution, sequence
from timeline.postmortems.drafting.lessons import open_questions, went_well, went_wrong, were_lucky
from timeline.postmortems.drafting.openings import detection, impact, summary, trigger
from timeline.postmortems.drafting.reasons import contributing_factors
from timeline.postmortems.facts import Facts

Draft = Callable[[Facts], str]

DRAFTS: dict[str, Draft] = {
    "summary": summary,
    "impact": impact,
    "trigger": trigger,
    "detection": detection,
    "contributing_factors": contributing_factors,
    "resolution": resolution,
    "went_well": went_well,
    "went_wrong": went_wrong,
    "were_lucky": were_lucky,
    "timeline": sequence,
    "open_questions": open_questions,
}


def draft(name: str, facts: Facts) -> str:
    """The section's Markdown; "" for one that is not drafted."""
    made = DRAFTS.get(name)
    return made(facts) if made is not None else ""
