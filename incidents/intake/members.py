"""What is known of one member of a series, and when a word about it is news (pure).

A member is one fingerprint of a series: {"firing", "from", "until", "silent", "told", "past"},
times in epoch seconds, `from` and `until` as its sender claims them. `from` says which firing is
meant, so deliveries may come twice or in any order. `silent` marks a firing of which only the end
was told so far, `inferred` an end that no sender told of (see `closing`) or that was outlived.
`told` is when we heard it, of an inferred end LATE_SECONDS before that end: whatever comes after
it is news. `past` keeps the other words that were news, the last MOST_PAST of them, so that
`firings` can say what fired when; a member whose firings are told apart by their arrival has none.
The stores say the same rule in SQL against what is kept; here it settles what a single body says
more than once.
"""

from __future__ import annotations

from datetime import datetime
from math import inf
from typing import Any

from incidents.intake.received import ReceivedAlert

Member = dict[str, Any]
MOST_PAST = 16
LATE_SECONDS = 45
"""How long after we heard of its end the word that the same firing goes on is taken for a late one.

Afterwards it is true: an Alertmanager ends what its Prometheus has not renewed for 4 min, and when
the two speak again the alert fires under its old start (seen with 0.25). It says so once, a
`group_interval` after the end or later, and not again for hours: so this is below the minute that
we advise for that, and above the 15 s for which Alertmanagers of a cluster wait for each other.
"""


def member_of(alert: ReceivedAlert, now: datetime) -> Member:
    """A word about a member, as if nothing were known of it."""
    claimed = None if alert.counts_from_arrival else alert.starts_at
    began, ended = claimed or now, (alert.ends_at if claimed else now)
    member: Member = {
        "firing": alert.firing,
        "from": began.timestamp(),
        "until": None if alert.firing or ended is None else max(began, ended).timestamp(),
        "silent": not alert.firing,
        "told": now.timestamp(),
    }
    if claimed:
        member["past"] = []
    return member


def heard(word: Member, known: Member | None) -> Member:
    """What is known of a member once `word` has come.

    A later firing begins anew. The end of the known firing ends it, and so does one that lies
    after its start: Alertmanager moves a start back when it merges two claims. A firing that
    began before the known end is over with it, unless we heard of that end LATE_SECONDS before
    or had inferred it. Whatever else is new joins the past, a repeat changes nothing.
    """
    if known is None:
        return word
    gone = _item(known)
    gone["inferred"] = word["from"] <= _until(known, -inf)
    if _begins(word, known):
        return _after(word, known, [gone])
    same = word["from"] == known["from"]
    if word["firing"] and same:
        return {**known, "silent": False}
    if any(_fact(word) == _fact(one) for one in known.get("past", [])):
        return known
    if _ends(word, known):
        return _after(word, known, [] if same else [gone])
    if same or "past" not in word:
        return known
    return _after(known, known, [_item(word)])


def _begins(word: Member, known: Member) -> bool:
    heard_long_ago = word["told"] - known.get("told", word["told"]) > LATE_SECONDS
    if word["firing"] and not known["firing"] and heard_long_ago:
        return True
    if "past" not in word and (not word["firing"] or known["firing"]):
        return False
    return bool(word["from"] > known["from"] and word["from"] >= _until(known, word["from"]))


def _ends(word: Member, known: Member) -> bool:
    if word["firing"]:
        return False
    if known["firing"]:
        return bool(word["from"] >= known["from"] or _until(word, -inf) > known["from"])
    return "past" in word and bool(_until(word, -inf) > _until(known, inf))


def _until(member: Member, unclaimed: float) -> float:
    until = member.get("until")
    return unclaimed if until is None else float(until)


def _after(now: Member, known: Member, gone: list[Member]) -> Member:
    after = {**now}
    if now["from"] == known["from"]:
        after["silent"] = now["silent"] and known["silent"]
    if "past" in now or "past" in known:
        after["past"] = [*known.get("past", []), *gone][-MOST_PAST:]
    return after


def _item(member: Member) -> Member:
    return {name: value for name, value in member.items() if name not in ("told", "past")}


def _fact(member: Member) -> tuple[Any, ...]:
    return member["firing"], member["from"], member.get("until")
