"""Which change did it, or none: a posterior over every change and "no change is to blame".

Log-odds against "none" are added up: where the change came to run (place), when (time), what it
could break against what is seen (content), whose words it speaks. A change that reached no one
before the trouble began, or cannot touch what runs, is innocent however new it is. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from correlation.changes.delivery import COMMIT, Candidate, Landing, candidates, taken_back
from correlation.changes.hazards import Found, Reading, read_change
from correlation.changes.symptoms import Sign
from correlation.changes.timing import time_odds
from correlation.changes.vocabulary import shipped
from correlation.changes.words import SharedWords
from correlation.telemetry import Change

BLAMED_FROM = 0.5
"""A change is blamed when it is likelier than all else together, "none" included."""

PRIOR = -0.8
"""Log-odds of any one change against none, before anything is known of it."""

PLACE = {
    "own": 1.5, "sender": 1.2, "near": 0.5, "unknown": 0.0, "far": -0.5, "moved": -0.8,
    "elsewhere": -2.5,
}  # fmt: skip
"""Log-odds of where a change came to run. A sender calls the suspect, which is called more than
usual; what moved is not on the way as far as known, but its own metrics moved."""

HARMLESS = -5.0
UNTOLD = {"commit": -0.8, "flag": -0.6, "scale": -1.0}
"""Content of a change that shows no lines, by kind; a deploy that says nothing is worth 0."""

READ = -2.0
"""Content of lines that show nothing known to break what is broken; a fitting hazard adds to it."""

FIT = 5.0
WORDS, WORDS_ALONE, FRAME = 1.5, 0.6, 2.0
CROWD = 2.0
"""For none, where more requests come in from outside than usual."""

MENDS, GOES_BACK, LIGHT = -0.5, -2.0, -0.4


@dataclass(frozen=True)
class Weighed:
    """One change against one suspect: log-odds, and what they are made of."""

    change: Change
    landing: Landing
    odds: float
    hazard: Found | None
    against: str
    """Why not, in a few words; "" where nothing speaks against it."""
    lead_seconds: float | None
    frame: str
    late: bool


@dataclass(frozen=True)
class Attribution:
    """The answer for one suspect: `blamed` is None for "no change is to blame".

    `chances` are probabilities by change id, what is left to 1 is "none". `looked_at` are the
    likeliest first; `unprompted` names what points outside, strongest first.
    """

    blamed: Weighed | None
    chances: Mapping[str, float]
    looked_at: tuple[Weighed, ...]
    unprompted: tuple[str, ...]

    def of_service(self, service: str) -> list[tuple[Change, float]]:
        """Changes that came to run in `service` itself, each as its deploy, with its chance."""
        return [
            (one.landing.carried_by or one.change, self.chances[one.change.id])
            for one in self.looked_at
            if one.landing.service == service
        ]


NOTHING = Attribution(None, {}, (), ())


class Jury:
    """Reads changes and evidence once; `attribution` then weighs them for one suspect."""

    def __init__(
        self,
        changes: Iterable[Change],
        signs: Iterable[Sign],
        services: Iterable[str],
        callers: Mapping[str, list[str]],
        callees: Mapping[str, list[str]],
    ) -> None:
        self.services = frozenset(services)
        self.signs = tuple(signs)
        self.callers, self.callees = callers, callees
        self.candidates = candidates(changes, self.services)
        told = [candidate.change for candidate in self.candidates]
        self.words = SharedWords(told, self.signs, self.services)
        self.undone = taken_back(told)
        self.others_show_lines = any(
            change.kind.lower() == COMMIT and change.diff for change in told
        )
        """A commit without lines among those that have them edits nothing anybody quotes."""

    def attribution(self, suspect: str, onset: float | None) -> Attribution:
        """The posterior for `suspect`; `onset` (epoch s) counts where no sign has one."""
        if not self.candidates:
            return NOTHING
        near = self._near(suspect)
        seen, outside = self._seen(suspect, near)
        onsets = self._onsets(suspect, near, onset)
        weighed = [self._weigh(one, suspect, near, seen, onsets) for one in self.candidates]
        weighed.sort(key=lambda one: (-one.odds, -one.landing.at, one.change.id))
        none = max((worth for _, worth in outside), default=0.0)
        top = max(none, weighed[0].odds)
        whole = math.exp(none - top) + sum(math.exp(one.odds - top) for one in weighed)
        chances = {one.change.id: math.exp(one.odds - top) / whole for one in weighed}
        first = weighed[0]
        return Attribution(
            blamed=first if chances[first.change.id] >= BLAMED_FROM else None,
            chances=chances,
            looked_at=tuple(weighed),
            unprompted=tuple(name for name, _ in outside),
        )

    def _near(self, suspect: str) -> dict[str, str]:
        """How each known service stands to the suspect, as PLACE names it; absent is elsewhere."""
        near = {suspect: "own"}
        once = {*self.callers.get(suspect, ()), *self.callees.get(suspect, ())} - {suspect}
        called_more = any(
            suspect in sign.services and "more_calls" in sign.shows and sign.weight >= 0.5
            for sign in self.signs
        )
        for name in sorted(once):
            sends = called_more and name in self.callers.get(suspect, ())
            near[name] = "sender" if sends else "near"
        for name in sorted(once):
            for other in (*self.callers.get(name, ()), *self.callees.get(name, ())):
                near.setdefault(other, "far")
        return near

    def _seen(
        self, suspect: str, near: Mapping[str, str]
    ) -> tuple[dict[str, float], list[tuple[str, float]]]:
        """Symptoms 0..1 as seen from the suspect, and what points outside with its log-odds."""
        seen: dict[str, float] = {}
        outside: dict[str, float] = {}
        for sign in self.signs:
            weight = sign.weight * self._closeness(sign, suspect, near)
            for name in sorted(sign.shows):
                seen[name] = max(seen.get(name, 0.0), weight)
            if self._enters(sign):
                outside["crowd"] = max(outside.get("crowd", 0.0), CROWD * weight)
            for name, worth in sign.unprompted:
                # what nobody's change set off is seen by whoever looks after nodes and networks
                foreign = not sign.services & near.keys()
                heard = sign.weight * (0.8 if foreign else 1.0)
                outside[name] = max(outside.get(name, 0.0), worth * heard)
        return seen, sorted(outside.items(), key=lambda pair: (-pair[1], pair[0]))

    def _enters(self, sign: Sign) -> bool:
        """Whether more is asked where requests come in: by a service that nobody known calls."""
        return (
            "more_calls" in sign.shows
            and not sign.spoken
            and len(sign.services) == 1
            and not any(self.callers.get(name) for name in sign.services)
            and any(self.callees.get(name) for name in sign.services)
        )

    def _closeness(self, sign: Sign, suspect: str, near: Mapping[str, str]) -> float:
        if suspect in sign.services:
            return 1.0
        if suspect in sign.text:
            return 0.8
        by_place = {"near": 0.75, "sender": 0.75, "far": 0.5}
        return max((by_place.get(near.get(name, ""), 0.3) for name in sign.services), default=0.3)

    def _onsets(
        self, suspect: str, near: Mapping[str, str], onset: float | None
    ) -> list[tuple[float, float, float]]:
        """(onset, give or take, weight) of all that moved nearby, earliest first."""
        found = []
        for sign in self.signs:
            if sign.onset is not None and sign.weight >= 0.3:
                weight = sign.weight**2 * self._closeness(sign, suspect, near)
                if weight >= 0.1 and (sign.services & near.keys() or len(near) == 1):
                    found.append((*sign.onset, weight))
        if not found and onset is not None:
            found.append((onset, 0.0, 1.0))
        return sorted(found)

    def _weigh(
        self,
        candidate: Candidate,
        suspect: str,
        near: Mapping[str, str],
        seen: Mapping[str, float],
        onsets: list[tuple[float, float, float]],
    ) -> Weighed:
        """The candidate by the way of landing that speaks most for its guilt."""
        change = candidate.change
        reading = read_change(change)
        home = any(one.service in (suspect, "") for one in candidate.landings)
        content, hazard, frame = self._content(change, reading, seen, home)
        ways = [
            self._way(landing, near, onsets, hazard is not None and hazard.hazard.delayed)
            for landing in candidate.landings
        ]
        odds, n = max((odds, -n) for n, (odds, _, _) in enumerate(ways))
        _, lead, late = ways[-n]
        landing = candidate.landings[-n]
        if change.id in self.undone:
            odds += GOES_BACK
        against = ""
        if late:
            against = "came after the trouble began"
        elif reading.harmless:
            against = reading.harmless
        elif change.id in self.undone:
            against = "was taken back before"
        elif reading.readable and content < 0.0:
            against = "its lines break nothing of this kind"
        elif landing.service and near.get(landing.service) is None:
            against = f"{landing.service} is not on the way"
        elif lead is not None and lead > 1200.0:
            against = "came long before"
        return Weighed(change, landing, PRIOR + content + odds, hazard, against, lead, frame, late)

    def _content(
        self, change: Change, reading: Reading, seen: Mapping[str, float], home: bool
    ) -> tuple[float, Found | None, str]:
        """Log-odds of what the change says of itself, with the hazard that fits best.

        `home` is whether it may have come to run in the suspect itself.
        """
        if reading.harmless:
            return HARMLESS, None, ""
        best, worth = None, 0.0
        for found in reading.hazards:
            if found.hazard.at_home and not home:
                continue
            match = found.strength * _match(found, seen)
            if match > worth + 1e-9:
                best, worth = found, match
        base = READ if reading.readable else UNTOLD.get(change.kind.lower(), 0.0)
        if change.kind.lower() == COMMIT and self.others_show_lines:
            base = READ
        content = base + FIT * worth
        frame = self.words.in_frames(change)
        fits = worth >= 0.2 or bool(frame)
        content += (WORDS if fits else WORDS_ALONE) * self.words.share(change)
        content += FRAME if frame else 0.0
        content += GOES_BACK if reading.goes_back else MENDS if reading.mends else 0.0
        content += LIGHT if reading.light and worth < 0.2 else 0.0
        return content, best if worth >= 0.2 else None, frame

    def _way(
        self,
        landing: Landing,
        near: Mapping[str, str],
        onsets: list[tuple[float, float, float]],
        delayed: bool,
    ) -> tuple[float, float | None, bool]:
        """Log-odds of place and time, seconds before the trouble, whether it came too late."""
        place = self._place(landing.service, near)
        time, lead, late = time_odds(landing.at, onsets, delayed)
        return place - landing.lost + time, lead, late

    def _place(self, service: str, near: Mapping[str, str]) -> float:
        if not service:
            return PLACE["unknown"]
        if service in near:
            return PLACE[near[service]]
        moved = any(
            service in sign.services and sign.weight >= 0.5 and not sign.spoken
            for sign in self.signs
        )
        return PLACE["moved" if moved else "elsewhere"]


def _match(found: Found, seen: Mapping[str, float]) -> float:
    """How well a hazard explains what is seen, 0..1: the best symptom, and a little of the next."""
    specific = {symptom.name: symptom.specific for symptom in shipped().symptoms}
    worths = sorted(
        (weight * specific[name] * seen.get(name, 0.0) for name, weight in found.hazard.explains),
        reverse=True,
    )
    return min(1.0, worths[0] + 0.25 * sum(worths[1:2]))
