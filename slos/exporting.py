"""SLOs as files for other tools: OpenSLO, and Prometheus rules with Sloth's names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from slos import sloth_rules
from slos.definition import Definition, Wrong
from slos.models import SLO
from slos.openslo.writing import write

Form = Callable[[Iterable[Definition]], str]
FORMS: dict[str, Form] = {"openslo": write, "rules": sloth_rules.rules}


def exported(rows: Iterable[SLO], form: str) -> str:
    """The file of these SLOs; `form` is openslo or rules.

    One whose columns hold what is no SLO is left out, and a comment at the top says so.
    """
    definitions: list[Definition] = []
    left_out: list[str] = []
    for row in rows:
        try:
            definitions.append(row.definition())
        except Wrong as wrong:
            left_out.append(f"# left out: {row.name}: {' '.join(str(wrong).split())}\n")
    return "".join(left_out) + FORMS[form](definitions)
