"""The change vocabulary as data: what edits break, what breakage looks like, what cannot matter.

Parsed once from rulepacks/changes.yaml and checked there; declarative, nothing is run as code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

MOVES = frozenset({"up", "down", "on", "off"})
_PATTERNS = ("added", "removed", "both", "loop", "setting", "files")
_FIELDS = {
    "name",
    "says",
    "weight",
    "delayed",
    "at_home",
    "turned",
    "moves",
    "only",
    "explains",
    *_PATTERNS,
}

Pattern = re.Pattern[str]


class BadVocabulary(ValueError):
    """A vocabulary that cannot be used; the text names the entry and the field."""


@dataclass(frozen=True)
class Symptom:
    """What evidence may show; `specific` 0..1 is how much it tells of its cause."""

    name: str
    text: Pattern
    specific: float


@dataclass(frozen=True)
class Hazard:
    """A kind of edit, how to see it in a diff, and the symptoms it `explains` (weight each).

    `only` is the pattern of the files that it is looked for in; changes that name none have it all.
    `at_home` is for edits that break nothing but the service they came to run in.
    """

    name: str
    says: str
    explains: tuple[tuple[str, float], ...]
    weight: float = 1.0
    delayed: bool = False
    at_home: bool = False
    turned: bool = False
    moves: frozenset[str] = frozenset()
    only: Pattern | None = None
    added: Pattern | None = None
    removed: Pattern | None = None
    both: Pattern | None = None
    loop: Pattern | None = None
    setting: Pattern | None = None
    files: Pattern | None = None


@dataclass(frozen=True)
class Vocabulary:
    """All of it; `quiet` are the patterns of edits that break nothing, by what they look at."""

    symptoms: tuple[Symptom, ...]
    hazards: tuple[Hazard, ...]
    quiet: Mapping[str, Pattern]
    unprompted: tuple[tuple[str, float, Pattern], ...]
    common_words: frozenset[str]


@lru_cache(maxsize=1)
def shipped() -> Vocabulary:
    """The vocabulary that comes with the product."""
    text = files("correlation").joinpath("rulepacks/changes.yaml").read_text(encoding="utf-8")
    return parse(yaml.safe_load(text))


def parse(document: Any) -> Vocabulary:
    """The vocabulary of a parsed YAML document; raises BadVocabulary."""
    if not isinstance(document, Mapping):
        raise BadVocabulary("a change vocabulary is a mapping")
    symptoms = tuple(
        Symptom(name, _pattern(told, "text", f"symptoms.{name}"), float(told["specific"]))
        for name, told in document["symptoms"].items()
    )
    known = {symptom.name for symptom in symptoms}
    kinds = {name: _pattern(document["only"], name, "only") for name in document["only"]}
    hazards = tuple(_hazard(told, known, kinds) for told in document["hazards"])
    quiet = {
        f"{group}.{name}": _pattern(document[group], name, group)
        for group in ("harmless", "unseen", "mending", "light")
        for name in document[group]
    }
    unprompted = tuple(
        (name, float(told["worth"]), _pattern(told, "text", f"unprompted.{name}"))
        for name, told in document["unprompted"].items()
    )
    common = frozenset(document["common_words"].split())
    return Vocabulary(symptoms, hazards, quiet, unprompted, common)


def _hazard(told: Mapping[str, Any], known: set[str], kinds: Mapping[str, Pattern]) -> Hazard:
    where = f"hazards.{told.get('name')}"
    unknown = sorted(set(told) - _FIELDS)
    if unknown:
        raise BadVocabulary(f"{where}.{unknown[0]} is not a field of a hazard")
    missing = sorted(set(told["explains"]) - known)
    if missing:
        raise BadVocabulary(f"{where}.explains: there is no symptom {missing[0]}")
    moves = frozenset(told.get("moves", ()))
    if not moves <= MOVES:
        raise BadVocabulary(f"{where}.moves: use {', '.join(sorted(MOVES))}")
    if told.get("only", next(iter(kinds))) not in kinds:
        raise BadVocabulary(f"{where}.only: use {', '.join(sorted(kinds))}")
    patterns = {name: _pattern(told, name, where) for name in _PATTERNS if name in told}
    if not patterns and not told.get("turned"):
        raise BadVocabulary(f"{where} says nothing of how to see it")
    return Hazard(
        name=told["name"],
        says=told["says"],
        explains=tuple(sorted(told["explains"].items())),
        weight=float(told.get("weight", 1.0)),
        delayed=bool(told.get("delayed", False)),
        at_home=bool(told.get("at_home", False)),
        turned=bool(told.get("turned", False)),
        moves=moves,
        only=kinds[told["only"]] if "only" in told else None,
        **patterns,
    )


def _pattern(told: Mapping[str, Any], field: str, where: str) -> Pattern:
    try:
        return re.compile(told[field], re.IGNORECASE)
    except re.error as error:
        raise BadVocabulary(f"{where}.{field}: {error}") from error
