"""Walks a stored hash chain and names the first entry that is not as it was written.

An entry's digest is vouched for by the entry after it, the last one's by the anchor. Where two
neighbours disagree, the one that is vouched for is believed, so that the entry that was changed
is named and not the one that shows it. One entry is held at a time, however long the chain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from accounts import chain
from accounts.chain import Link


class Fault(NamedTuple):
    """What is wrong with the entry numbered `seq`; None: with none of them, with the anchor."""

    seq: int | None
    reason: str


class End(NamedTuple):
    """Where the anchor says the chain ends."""

    length: int
    head: str


@dataclass(frozen=True)
class Walked:
    """`length` entries are as they were written, `head` is the last one's digest."""

    length: int
    head: str
    fault: Fault | None


def walk(
    links: Iterable[Link],
    end: End | None,
    digest_at: Callable[[int], str | None],
    called: str = "event",
) -> Walked:
    """`links` come by seq; `digest_at` is the stored digest of the entry numbered so, None when
    there is none; `called` is what the chain's entries are called."""
    length, head = 0, chain.START
    for link, following in _pairs(iter(links)):
        fault = _fault(link, length, head, end, called)
        if fault is None and following is not None and (link.seq, link.digest) != end:
            fault = _doubt(link, following, digest_at, called)
        if fault is not None:
            return Walked(length, head, fault)
        length, head = link.seq, link.digest
    return Walked(length, head, _fault_at_the_end(length, head, end, called))


def _pairs(links: Iterator[Link]) -> Iterator[tuple[Link, Link | None]]:
    """Each entry with the one after it."""
    before = next(links, None)
    for link in links:
        assert before is not None  # there is one before a second
        yield before, link
        before = link
    if before is not None:
        yield before, None


def _fault(link: Link, length: int, head: str, end: End | None, called: str) -> Fault | None:
    """What is wrong with `link`, which comes after `length` good ones that end at `head`."""
    seq = length + 1
    if length and (length, head) == end:
        return Fault(link.seq, f"it was inserted: the record ends at {called} {length}")
    if link.seq < seq:
        return Fault(_own_seq(link), f"it carries the number {link.seq}, which is not free")
    if link.seq > seq:
        return Fault(seq, f"{called} {seq} is missing: {link.seq} comes next")
    if not _hash_holds(link):
        return Fault(seq, "its text, its digest or the digest before it has been changed")
    if link.previous != head:
        return Fault(seq, f"it does not follow the {called} before it")
    changed = _changed_columns(link)
    return Fault(seq, changed) if changed else None


def _hash_holds(link: Link) -> bool:
    return bool(link.digest == chain.digest(link.previous, link.canonical))


def _own_seq(link: Link) -> int:
    """The number it was recorded with, as long as its hash holds."""
    if not _hash_holds(link):
        return int(link.seq)
    try:
        return int(json.loads(link.canonical)["seq"])
    except (ValueError, TypeError, KeyError):
        return int(link.seq)


def _changed_columns(link: Link) -> str:
    try:
        text = chain.canonical(link.entry())
        if text == link.canonical:
            return ""
        written, stored = json.loads(link.canonical), json.loads(text)
    except (ValueError, TypeError) as error:
        return f"it cannot be read: {error}"
    # compared as values: a database may write the same number differently
    changed = sorted(name for name in written | stored if written.get(name) != stored.get(name))
    return f"its {', '.join(changed)} differ from what was recorded" if changed else ""


def _doubt(
    link: Link, following: Link, digest_at: Callable[[int], str | None], called: str
) -> Fault | None:
    """`link` holds in itself; does the next one, as it was hashed, follow another?"""
    if following.previous == link.digest or not _hash_holds(following):
        return None  # the next one itself is judged in its turn
    seq = _own_seq(following)
    if seq == link.seq + 1:
        why = f"it has been rewritten: {called} {seq} was recorded after another"
        return Fault(link.seq, why)
    before = chain.START if seq == 1 else digest_at(seq - 1)
    if seq <= link.seq and before == following.previous:
        why = f"it was inserted: what is {called} {following.seq} now was {called} {seq}"
        return Fault(seq, why)
    return None


def _fault_at_the_end(length: int, head: str, end: End | None, called: str) -> Fault | None:
    """What is wrong with a chain whose entries all hold, at its end."""
    if end is None:
        return Fault(None, "the anchor is missing") if length else None
    if end.length > length and length and end.head == head:
        return Fault(None, f"the anchor counts {end.length} and ends at {called} {length}")
    if end.length > length:
        return Fault(length + 1, _missing(length + 1, end.length, called))
    if end.length < length:
        return Fault(None, f"the anchor counts {end.length} of {length}")
    if end.head != head:
        return Fault(length, f"it is not the {called} that the anchor ends at")
    return None


def _missing(first: int, last: int, called: str) -> str:
    if first == last:
        return f"{called} {first} is missing"
    return f"{called}s {first} to {last} are missing"
