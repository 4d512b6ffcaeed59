"""The query that counts a service's active users: read here, tried where somebody can ask a source.

This app knows no sources; the one that does registers how to try.
"""

from __future__ import annotations

from collections.abc import Callable

import promql_parser

Trial = Callable[[str, str], str]
"""(query, environment) to why its source refuses it, "" where nothing is wrong or nobody answers.

It asks a network: no transaction may be open.
"""

_trials: list[Trial] = []


def register(trial: Trial) -> None:
    _trials[:] = [trial]


def malformed(query: str) -> str:
    """Why this is no PromQL for the value of a moment; "" for one, and for no query."""
    if not query.strip():
        return ""
    try:
        tree = promql_parser.parse(query)
    except ValueError as error:
        return f"It cannot be read as PromQL: {error}."
    while isinstance(tree, promql_parser.ParenExpr):
        tree = tree.expr
    ranged = (promql_parser.MatrixSelector, promql_parser.SubqueryExpr, promql_parser.StringLiteral)
    if isinstance(tree, ranged):
        return "It must give a number at a moment, not a range or a text."
    return ""


def refused(query: str, environment: str) -> str:
    """As `malformed`; and in the words of the environment's source, where one answers."""
    why = malformed(query)
    if why or not query.strip():
        return why
    return next((why for trial in _trials if (why := trial(query, environment))), "")
