"""The words a change shares with the evidence: identifiers, files and frames named by both."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from correlation.changes.symptoms import Sign
from correlation.changes.vocabulary import shipped
from correlation.telemetry import Change

MOST_TEXT = 20_000

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{3,}")
_PART = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}(?![a-z])")
_FILE = re.compile(r"[\w-]+\.[a-z]{1,5}$", re.IGNORECASE)


@lru_cache(maxsize=4096)
def identifiers(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """(whole identifiers of several parts, single words), lower case, common words left out."""
    whole: set[str] = set()
    parts: set[str] = set()
    common = shipped().common_words
    for word in _WORD.findall(text[:MOST_TEXT]):
        pieces = [piece.lower() for piece in _PART.findall(word)]
        if len(pieces) > 1 or "_" in word.strip("_"):
            whole.add(word.strip("_").lower())
        parts.update(piece for piece in pieces if len(piece) >= 4 and piece not in common)
    return frozenset(whole), frozenset(parts)


class SharedWords:
    """How much each change speaks the words of the evidence, 0..1; rare words count for more."""

    def __init__(self, changes: Sequence[Change], signs: Iterable[Sign], names: Iterable[str]):
        spoken = [sign for sign in signs if sign.spoken]
        self._text = "\n".join(sign.text for sign in spoken)
        whole, parts = identifiers(self._text)
        moved = "\n".join(sign.text for sign in signs if not sign.spoken)
        _, measured = identifiers(moved)
        own = set().union(*(identifiers(name)[1] for name in names)) | {
            name.lower() for name in names
        }
        self._whole, self._parts = whole - own, (parts | measured) - own
        self._said = {change.id: _said(change) for change in changes}
        self._often = Counter(word for said in self._said.values() for word in said)

    def share(self, change: Change) -> float:
        """0..1: grows with the words in common, each worth its rarity among the changes."""
        worth = 0.0
        for word in sorted(self._said[change.id]):
            if word in self._whole:
                worth += 1.0 / self._often[word]
            elif word in self._parts:
                worth += 0.3 / self._often[word]
        return 1.0 - math.exp(-worth / 1.2)

    def in_frames(self, change: Change) -> str:
        """A file or function of the change that failing code names, or ""."""
        for path in change.files:
            name = path.rsplit("/", 1)[-1]
            if _FILE.search(name) and re.search(rf"(?<![\w-]){re.escape(name)}\b", self._text):
                return name
        return ""


@lru_cache(maxsize=4096)
def _said_of(title: str, diff: str, files: tuple[str, ...]) -> frozenset[str]:
    whole, parts = identifiers("\n".join((title, *files, diff)))
    return whole | parts


def _said(change: Change) -> frozenset[str]:
    return _said_of(change.title, change.diff, change.files)
