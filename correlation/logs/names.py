"""Which words of a batch of messages are names: told by the company they keep.

`amy` and `bob` stand for each other in "session opened for user amy by (uid=0)" and in "password
of bob was refused by the directory": two messages that say different things and both take either
word. What happened (opened, closed) does not move about like that, and participles never count.
"""

from __future__ import annotations

from correlation.logs.places import HAPPENED
from correlation.logs.shapes import ANY, Shape, is_name, is_value, is_word

Context = tuple[int, list[Shape]]
"""(place, shapes that are equal but for that place)."""

SHARED = 2
"""Words two different messages must both take before the words count as names."""

SHARED_ALIKE = 3
"""The same for messages that differ in one word: "job _ started" and "job _ ready"."""

MOST_CONTEXTS = 60
"""A word that varies in more places than this is part of the language."""


def names_among(contexts: list[Context]) -> set[str]:
    """The words that stand for each other in messages that otherwise say different things."""
    places: dict[str, list[int]] = {}
    for number, (place, members) in enumerate(contexts):
        for found in members:
            word = found[place]
            if not HAPPENED.search(word):
                places.setdefault(word, []).append(number)
    shared: dict[tuple[int, int], list[str]] = {}
    for word, numbers in places.items():
        if len(numbers) < 2 or (len(numbers) > MOST_CONTEXTS and word != ANY):
            continue
        for at, one in enumerate(numbers):
            for other in numbers[at + 1 :]:
                shared.setdefault((one, other), []).append(word)
    names: set[str] = set()
    for (one, other), common in shared.items():
        weight = len(common) + (ANY in common)
        if len(common) >= SHARED and not names.issuperset(common):
            apart = _difference(contexts[one], contexts[other])
            if apart > 1 or (apart == 1 and weight >= SHARED_ALIKE):
                names.update(common)
    return names - {ANY}


def _difference(one: Context, other: Context) -> int:
    """In how many words of prose two messages differ; the places that vary do not count."""
    (place, members), (other_place, other_members) = one, other
    mine, theirs = members[0], other_members[0]
    if len(mine) == len(theirs) and place == other_place:
        return sum(
            token != facing and _is_prose(token) and _is_prose(facing)
            for at, (token, facing) in enumerate(zip(mine, theirs, strict=True))
            if at != place
        )
    return len(_prose(mine, place) ^ _prose(theirs, other_place))


def _prose(found: Shape, place: int) -> set[str]:
    return {token for at, token in enumerate(found) if at != place and _is_prose(token)}


def _is_prose(token: str) -> bool:
    return len(token) > 1 and not is_value(token) and not is_name(token) and is_word(token)
