"""Label matchers, as Prometheus and Loki select series and streams with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

OPERATORS = ("=", "!=", "=~", "!~")

# What Go's RE2 reads differently from Python's re, or not at all: refused, never guessed.
_FOREIGN = re.compile(r"\[\[:|\\[pPQEzCABZ]|\(\?(?!P<|:|i\)|i:|s\)|s:|m\)|m:)|[*+?}]\+|\\[1-9]")


class RegexUnsupportedError(ValueError):
    """The pattern cannot be read the way Go's RE2 reads it."""


@lru_cache(maxsize=512)
def go_regex(pattern: str) -> re.Pattern[str]:
    """Compile an RE2 pattern; ASCII classes as in Go. Raises RegexUnsupportedError, or re.error."""
    if _FOREIGN.search(pattern):
        raise RegexUnsupportedError(f"regular expression {pattern!r} is not supported by the lab")
    return re.compile(pattern, re.ASCII)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; a label that is not there has the value ""."""

    name: str
    op: str
    value: str

    def __post_init__(self) -> None:
        if self.op not in OPERATORS:
            raise ValueError(f"unknown matcher operator {self.op!r}")
        if self.op in ("=~", "!~"):
            go_regex(self.value)

    def matches(self, value: str) -> bool:
        """Whether a label value meets the condition; regular expressions match whole values."""
        if self.op == "=":
            return value == self.value
        if self.op == "!=":
            return value != self.value
        found = go_regex(self.value).fullmatch(value) is not None
        return found == (self.op == "=~")


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether a label set meets every condition."""
    return all(m.matches(labels.get(m.name, "")) for m in matchers)
