"""One step of a service map: where the name of an alert's service may stand. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from incidents.pattern_safety import BadPattern, clipped, compile_whole

_LABELS = re.compile(r"[^\s/~]+(/[^\s/~]+)*")


class BadStep(ValueError):
    """A step that cannot be used, in words for its author."""


@dataclass(frozen=True)
class Step:
    """Where a service's name may stand: the values of `labels`, joined by a slash, all of them
    present; of the value the first group of `pattern`, which must fit the whole of it. Spaces
    around a label's value do not count."""

    labels: tuple[str, ...]
    pattern: str = ""

    def read(self, labels: Mapping[str, str]) -> str | None:
        parts = [labels.get(name, "").strip() for name in self.labels]
        if not all(parts):
            return None
        value = clipped("/".join(parts))
        if not self.pattern:
            return value
        found = compile_whole(self.pattern).fullmatch(value)
        if found is None:
            return None
        return found[1] if found.re.groups else found[0]


@lru_cache(maxsize=1024)
def parse_step(text: str) -> Step:
    """`label`, `label/label` or either with ` ~ expression`. Raises BadStep."""
    labels, tilde, pattern = (part.strip() for part in text.partition("~"))
    if not _LABELS.fullmatch(labels):
        raise BadStep(f"{text[:80]!r}: write a label, or labels with a slash between them.")
    if tilde:
        try:
            groups = compile_whole(pattern).groups
        except BadPattern as error:
            raise BadStep(f"The expression of {text[:80]!r} {error}.") from error
        if not pattern or groups > 1:
            raise BadStep(f"The expression of {text[:80]!r} must have one group, or none.")
    return Step(tuple(labels.split("/")), pattern)
