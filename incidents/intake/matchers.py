"""Label matchers as Prometheus and Alertmanager write them: `severity=~"critical|page"`. Pure.

A label that an alert does not carry has the value "". Regular expressions must fit the whole
value; those that could be slow are refused when they are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from incidents.pattern_safety import BadPattern, clipped, compile_whole

OPERATORS = ("=~", "!~", "!=", "=")
MOST_MATCHERS = 20
_SHAPE = re.compile(r"\s*([^=!~\"{},\s][^=!~\"{},]*?)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)


class BadMatcher(ValueError):
    """A text that is no matcher, in words for its author."""


@dataclass(frozen=True)
class Matcher:
    name: str
    operator: str
    value: str

    def fits(self, labels: Mapping[str, str]) -> bool:
        found = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (found == self.value) == (self.operator == "=")
        matched = compile_whole(self.value).fullmatch(clipped(found)) is not None
        return matched == (self.operator == "=~")

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{json.dumps(self.value, ensure_ascii=False)}"


@lru_cache(maxsize=4096)
def parse_matcher(text: str) -> Matcher:
    """`name=value`, `name="value"`, and likewise with !=, =~ and !~. Raises BadMatcher."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise BadMatcher(f"{text[:80]!r} is no matcher: write label=value, with =, !=, =~ or !~.")
    name, operator, written = shape.groups()
    value = _unquoted(written, text)
    if "\x00" in name + value:
        raise BadMatcher("A matcher holds no NUL character.")
    if operator in ("=~", "!~"):
        try:
            compile_whole(value)
        except BadPattern as error:
            raise BadMatcher(f"The expression of {text[:80]!r} {error}.") from error
    return Matcher(name, operator, value)


def parse_matchers(given: Any) -> list[Matcher]:
    """A list of texts as matchers; raises BadMatcher naming the first that is none."""
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise BadMatcher('Give a list of matchers, such as ["severity=critical"].')
    if len(given) > MOST_MATCHERS:
        raise BadMatcher(f"{len(given)} matchers; at most {MOST_MATCHERS} are allowed.")
    return [parse_matcher(text) for text in given]


def all_fit(texts: Iterable[str], labels: Mapping[str, str]) -> bool:
    """Whether every matcher fits; none at all fits everything."""
    return all(parse_matcher(text).fits(labels) for text in texts)


def _unquoted(written: str, text: str) -> str:
    if not written.startswith('"'):
        if '"' in written:
            raise BadMatcher(f"{text[:80]!r}: put the whole value in quotes, or nothing.")
        return written
    try:
        value = json.loads(written, strict=False)
    except ValueError:
        value = None
    if not isinstance(value, str):
        raise BadMatcher(f"{text[:80]!r}: the quoted value does not end where the matcher does.")
    return value
