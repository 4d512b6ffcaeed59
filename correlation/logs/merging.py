"""Which masked messages are one template: told by structure and by how many values a place takes.

All decisions are over the set of distinct messages, never over their order or their number of
lines, so a message that comes a thousand times weighs what one weighs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

from correlation.logs.columns import by_columns
from correlation.logs.names import Context, names_among
from correlation.logs.places import is_argument, may_vary, vanishes
from correlation.logs.shapes import (
    ANY,
    CONDENSING,
    NO_VALUE,
    TOKEN,
    Piece,
    Shape,
    condensed,
    is_name,
    is_word,
    outline,
    restored,
    words,
)
from correlation.logs.weights import ENOUGH, FEW_WORDS, MANY_NAMES, word_weight

ROUNDS = 4
"""Each round may make equal what the one before it left apart in two places."""


def merged(shapes: Iterable[Shape]) -> dict[Shape, Shape]:
    """The template of each shape: itself, or one with `ANY` where shapes differ in a value."""
    template = {found: found for found in shapes}
    template = _by_outline(template, loose=False, need=2, least=1)
    template = _by_outline(template, loose=True, need=MANY_NAMES, least=FEW_WORDS)
    known: set[str] = set()
    template = _absorbed(template, known, set(template.values()))
    template = _in_rounds(template, known)
    wider = by_columns(set(template.values()), known)
    if not wider:
        return template
    template = {found: wider.get(kept, kept) for found, kept in template.items()}
    return _in_rounds(_absorbed(template, known, set(wider.values())), known)


def _in_rounds(template: dict[Shape, Shape], known: set[str]) -> dict[Shape, Shape]:
    for _ in range(ROUNDS):
        wider = _widened(set(template.values()), known)
        if not wider:
            break
        template = {found: wider.get(kept, kept) for found, kept in template.items()}
        template = _absorbed(template, known, set(wider.values()))
    return template


def rendered(text: str, template: Shape) -> str:
    """A template as a person reads it: `text`, one of its messages, with its values as `ANY`."""
    text = NO_VALUE.sub("=<*>", text)
    out: list[str] = []
    end = place = 0
    for found in TOKEN.finditer(text):
        if place == len(template):
            break
        gap, token = text[end : found.start()], found.group()
        end = found.end()
        wanted = template[place]
        if wanted.startswith("| "):
            break
        if wanted in (token, ANY):
            out.append(gap + wanted)
            place += 1
    return " ".join(filter(None, ("".join(out).strip(), *template[place:])))


def _by_outline(
    template: dict[Shape, Shape], loose: bool, need: int, least: int
) -> dict[Shape, Shape]:
    """Templates with one outline become one when at least `need` share it and words are left."""
    groups: dict[Shape, list[tuple[Shape, tuple[Piece, ...]]]] = {}
    for kept in sorted(set(template.values())):
        pieces = outline(kept, loose)
        groups.setdefault(tuple(piece[0] for piece in pieces), []).append((kept, pieces))
    target: dict[Shape, Shape] = {}
    for members in groups.values():
        if len(members) < need:
            continue
        common = restored([kept for kept, _ in members], [pieces for _, pieces in members])
        if words(common) >= least:
            target.update((kept, common) for kept, _ in members)
    return {found: target.get(kept, kept) for found, kept in template.items()}


def _widened(templates: set[Shape], known: set[str]) -> dict[Shape, Shape]:
    """Templates that are equal but for one place that takes many words, with that place `ANY`.

    `known` gathers the words of such places: where they stand elsewhere they are names too.
    """
    contexts = _contexts(templates)
    known |= names_among(contexts)
    wider: dict[Shape, Shape] = {}
    for place, members in contexts:
        different = sorted({found[place] for found in members})
        target = condensed((*members[0][:place], ANY, *members[0][place + 1 :]))
        if words(target) < FEW_WORDS:
            evidence = sum(token in known for token in different) / MANY_NAMES
        else:
            evidence = sum(word_weight(token, place, members[0], known) for token in different)
        if evidence < ENOUGH:
            continue
        known.update(token for token in different if is_word(token) and not is_name(token))
        for found in members:
            wider.setdefault(found, target)
    return wider


def _contexts(templates: set[Shape]) -> list[Context]:
    """(place, the templates that differ there only), those with most templates first."""
    by_length: dict[int, list[Shape]] = {}
    for found in templates:
        if words(found) >= FEW_WORDS:
            by_length.setdefault(len(found), []).append(found)
    places: dict[tuple[int, int, int], list[Shape]] = {}
    for length, members in by_length.items():
        if len(members) < 2:
            continue
        for found in members:
            for place, others in _places(found):
                places.setdefault((length, place, others), []).append(found)
    contexts = [
        (place, sorted(members)) for (_, place, _), members in places.items() if len(members) > 1
    ]
    return sorted(contexts, key=lambda context: (-len(context[1]), context))


@lru_cache(maxsize=32768)
def _places(found: Shape) -> tuple[tuple[int, int], ...]:
    """(place, the sum of the other places' marks) for each place that may vary."""
    marks = [_mark(token) * _step(place) for place, token in enumerate(found)]
    total, left = sum(marks), words(found)
    return tuple(
        (place, total - marks[place])
        for place, token in enumerate(found)
        if left - (len(token) > 1 and token != ANY) >= (1 if is_name(token) else FEW_WORDS)
        and may_vary(found, place)
    )


@lru_cache(maxsize=65536)
def _mark(token: str) -> int:
    """64 bits of a token, the same in every process."""
    return int.from_bytes(blake2b(token.encode("utf-8", "replace"), digest_size=8).digest())


@lru_cache(maxsize=4096)
def _step(place: int) -> int:
    """What a token's mark is multiplied by in a place, so that two words that change places are
    another message. (Sums of `hash((place, word))` do not tell the two apart.)"""
    return pow(3, place + 1, 2**61 - 1)


def _absorbed(
    template: dict[Shape, Shape], names: set[str], wide_ones: set[Shape]
) -> dict[Shape, Shape]:
    """Templates that one of `wide_ones` covers become it, when values stand in its variables."""
    kept = set(template.values())
    by_start: dict[tuple[int, int, str], list[Shape]] = {}
    starts: dict[int, set[int]] = {}
    for wide in wide_ones:
        if ANY in wide and words(wide) >= FEW_WORDS:
            start = next(at for at, token in enumerate(wide) if token != ANY)
            starts.setdefault(len(wide), set()).add(start)
            by_start.setdefault((len(wide), start, wide[start]), []).append(wide)
    target: dict[Shape, Shape] = {}
    for found in kept:
        options = [
            wide
            for start in starts.get(len(found), ())
            for wide in by_start.get((len(found), start, found[start]), ())
            if wide != found and _covers(wide, found, names)
        ]
        base = _values_out(found)
        if base != found and base in wide_ones:
            options.append(base)
        for place in () if CONDENSING.isdisjoint(base) else range(len(base)):
            if vanishes(base, place) and (base[place] in names or is_argument(base, place)):
                wide = condensed((*base[:place], ANY, *base[place + 1 :]))
                if wide in wide_ones:
                    options.append(wide)
        if options:
            target[found] = min(options, key=lambda option: (option.count(ANY), option))
    return {found: _last(target, mine) for found, mine in template.items()}


def _covers(wide: Shape, found: Shape, names: set[str]) -> bool:
    return all(
        token == mine or (token == ANY and (mine in names or is_argument(found, at)))
        for at, (token, mine) in enumerate(zip(wide, found, strict=True))
    )


@lru_cache(maxsize=32768)
def _values_out(found: Shape) -> Shape:
    return tuple(token for token, _, _ in outline(found, loose=False))


def _last(target: dict[Shape, Shape], found: Shape) -> Shape:
    while found in target:
        found = target[found]
    return found
