"""Query templates: PromQL with placeholders and shorthands, expanded to what is sent.

Placeholders are written `$window` (string.Template; `$$` is a literal dollar sign), because
PromQL is full of braces. `$filter` goes last inside a selector's braces: `x{code="5",$filter}`;
it may be empty, and PromQL allows the comma before it.

`$sum(...)` groups by service where different set-ups name the service in different labels:
`sum by (studio_service)` of the expression, the label filled from the profile's candidates by
`label_replace`, so series that carry none of them stay apart. `$max` likewise; `$sum_le` keeps
the histogram bucket; `$edge_sum` and `$edge_sum_le` group by caller and callee.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Template

import promql_parser

SERVICE = "studio_service"
PEER = "studio_peer"
PLACEHOLDERS = ("filter", "long_window", "window")
LONG_WINDOW_SECONDS = 60.0

_JOINED = "studio_joined"
_SHORTHANDS = {  # name -> (aggregation, labels kept besides the service, by edge)
    "edge_sum_le": ("sum", ("le",), True),
    "edge_sum": ("sum", (), True),
    "sum_le": ("sum", ("le",), False),
    "sum": ("sum", (), False),
    "max": ("max", (), False),
}


class TemplateError(ValueError):
    """A query template that cannot be used; the message says why."""


@dataclass(frozen=True)
class Candidate:
    """Where a name may stand: these labels (joined by ";"), matched whole, group 1 is the name."""

    labels: tuple[str, ...]
    match: str = "(.+)"


def expanded(
    text: str,
    services: Sequence[Candidate],
    callers: Sequence[Candidate] = (),
    peers: Sequence[Candidate] = (),
) -> str:
    """`text` with its shorthands written out, best candidate first in all lists.

    A signal of a service is named by `services`, an edge by `callers` and `peers`.

    Raises TemplateError for unbalanced parentheses or a shorthand without candidates.
    """
    while True:
        found = _first_shorthand(text)
        if found is None:
            return text
        name, start, begin = found
        end = _closing(text, begin)
        aggregation, kept, by_edge = _SHORTHANDS[name]
        named_by = callers if by_edge else services
        if not named_by or (by_edge and not peers):
            lacking = "peer_from" if named_by else "service_from"
            raise TemplateError(f"${name} needs {lacking} in its profile")
        raw = [label for one in (*named_by, *(peers if by_edge else ())) for label in one.labels]
        inner = f"{aggregation} by ({_listed([*raw, *kept])}) ({text[begin:end]})"
        named = _named(inner, SERVICE, named_by)
        by = [SERVICE, *([PEER] if by_edge else []), *kept]
        named = _named(named, PEER, peers) if by_edge else named
        text = f"{text[:start]}{aggregation} by ({_listed(by)}) ({named}){text[end + 1 :]}"


def check(text: str, placeholders: Iterable[str] = PLACEHOLDERS) -> None:
    """Raises TemplateError naming an unknown placeholder, or saying why it does not parse.

    It has to parse without a filter and with one.
    """
    template = Template(text)
    if not template.is_valid():
        raise TemplateError("a lone $ in the query; write $$ for a dollar sign")
    if unknown := sorted(set(template.get_identifiers()) - set(placeholders)):
        raise TemplateError(f"unknown placeholder ${', $'.join(unknown)}")
    for matchers in ("", 'cluster="eu"'):
        values = {"service": "a", **values_of(LONG_WINDOW_SECONDS, matchers)}
        try:
            promql_parser.parse(rendered(text, values))
        except ValueError as error:
            raise TemplateError(f"does not parse: {error}") from None


def values_of(window_seconds: float, matchers: str = "") -> dict[str, str]:
    """What the placeholders of every query stand for."""
    return {
        "window": duration(window_seconds),
        "long_window": duration(max(window_seconds, LONG_WINDOW_SECONDS)),
        "filter": matchers.strip().rstrip(","),
    }


def rendered(text: str, values: Mapping[str, str]) -> str:
    """The query to send; an empty filter leaves nothing behind, not even its comma."""
    if not values.get("filter"):
        text = text.replace("{$filter}", "").replace(",$filter", "")
    return Template(text).substitute(values)


def duration(seconds: float) -> str:
    """A PromQL duration: "30s", or milliseconds where seconds are not whole."""
    return f"{round(seconds)}s" if float(seconds).is_integer() else f"{round(seconds * 1000)}ms"


def check_filter(matchers: str) -> None:
    """Raises TemplateError when `matchers` are not label matchers such as cluster="eu"."""
    text = matchers.strip().rstrip(",")
    if not text:
        return
    try:
        tree = promql_parser.parse("x{" + text + "}")
    except ValueError as error:
        raise TemplateError(f"does not parse: {error}") from None
    if not isinstance(tree, promql_parser.VectorSelector) or tree.matchers.or_matchers:
        raise TemplateError('must be label matchers such as cluster="eu"')


def metrics_of(query: str) -> frozenset[str]:
    """The metric names a query reads; none for a selector that names its metric by a pattern."""
    names: set[str] = set()

    def visit(node: object) -> bool:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            names.add(node.name)
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    return frozenset(names)


def _first_shorthand(text: str) -> tuple[str, int, int] | None:
    """(name, where its $ is, where its argument begins) of the first one, by position."""
    at = text.find("$")
    while at >= 0:
        if text.startswith("$$", at):
            at = text.find("$", at + 2)
            continue
        for name in _SHORTHANDS:
            if text.startswith(f"${name}(", at):
                return name, at, at + len(name) + 2
        at = text.find("$", at + 1)
    return None


def _closing(text: str, begin: int) -> int:
    depth, quote, at = 1, "", begin
    while at < len(text):
        char = text[at]
        if quote:
            at += 1 if char == "\\" else 0
            quote = "" if char == quote else quote
        elif char in "\"'`":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise TemplateError("unbalanced parentheses")


def _named(expression: str, target: str, candidates: Sequence[Candidate]) -> str:
    """`target` from the first candidate that matches; untouched where none does."""
    for one in reversed(candidates):
        source = one.labels[0]
        if len(one.labels) > 1:
            listed = ", ".join(f'"{label}"' for label in one.labels)
            expression, source = f'label_join({expression}, "{_JOINED}", ";", {listed})', _JOINED
        pattern = one.match.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
        expression = f'label_replace({expression}, "{target}", "$$1", "{source}", "{pattern}")'
    return expression


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(labels))
