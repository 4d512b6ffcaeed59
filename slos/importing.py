"""A file of OpenSLO into the catalogue of SLOs: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from accounts.models import User
from slos import keeping
from slos.checking.judging import Verdict
from slos.models import SLO
from slos.openslo.reading import Located, locate
from slos.openslo.tree import Refused as RefusedPart
from slos.stored import columns


class ImportRefused(Exception):
    """Why nothing was imported: each part with its path and line."""

    def __init__(self, refusals: Sequence[RefusedPart]) -> None:
        self.refusals = list(refusals)
        first = self.refusals[0]
        more = f" (and {len(self.refusals) - 1} more)" if len(self.refusals) > 1 else ""
        super().__init__(f"{first}{more}")


@dataclass(frozen=True)
class Imported:
    """What happens, or happened, to one SLO of the file: `act` is create, change or keep."""

    name: str
    act: str
    line: int
    changed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass
class _Item:
    located: Located
    made: SLO
    row: SLO | None
    changed: set[str] = field(default_factory=set)
    warnings: tuple[str, ...] = ()

    @property
    def act(self) -> str:
        if self.row is None:
            return "create"
        return "change" if self.changed else "keep"

    @property
    def asks(self) -> bool:
        """Whether its queries are new to its source."""
        return self.row is None or bool(self.changed & keeping.ASKED_ANEW)


def import_openslo(
    text: str, *, by: User | None, dry_run: bool = False, accept_no_data: bool = False
) -> list[Imported]:
    """Make the SLOs of a file, and change those that are there under their names.

    One that is there keeps whether it is enabled. Raises ImportRefused: for the file's first
    fault, or for all that the catalogue and the sources have against it.
    """
    try:
        items, refused = _items(locate(text))
    except RefusedPart as part:
        raise ImportRefused([part]) from part
    if not items and not refused:
        raise ImportRefused([RefusedPart("file", 1, "holds no SLO.")])
    refused += _examine([item for item in items if item.asks], accept_no_data=accept_no_data)
    if refused:
        raise ImportRefused(sorted(refused, key=lambda part: part.line))
    if not dry_run:
        _write(items, by)
    return [
        Imported(
            item.made.name,
            item.act,
            item.located.document.line,
            tuple(sorted(item.changed)),
            item.warnings,
        )
        for item in items
    ]


def _items(file: Sequence[Located]) -> tuple[list[_Item], list[RefusedPart]]:
    names = [located.definition.name for located in file]
    known = {
        row.name: row
        for row in SLO.objects.filter(name__in=names).select_related("service", "data_source")
    }
    items: list[_Item] = []
    refused: list[RefusedPart] = []
    for located in file:
        row = known.get(located.definition.name)
        try:
            made = keeping.candidate(_columns(located, row), row)
        except keeping.Refused as wrong:
            refused += _parts(located, wrong.errors)
            continue
        changed = keeping.differing(row, made) if row is not None else set()
        items.append(_Item(located, made, row, changed))
    return items, refused


def _columns(located: Located, row: SLO | None) -> dict[str, Any]:
    """Its environment stays where the service's slug does: OpenSLO knows none."""
    slo = located.definition
    same = row is not None and row.service.slug == slo.service
    service = row.service if row is not None and same else keeping.service_named(slo.service)
    source = keeping.data_source_named(slo.data_source)
    return {**columns(slo), "service": service, "data_source": source}


def _examine(items: Sequence[_Item], *, accept_no_data: bool) -> list[RefusedPart]:
    refused: list[RefusedPart] = []
    found: list[Verdict] = keeping.examined([item.made for item in items])
    for item, verdict in zip(items, found, strict=True):
        try:
            item.warnings = keeping.heeded(verdict, accept_no_data=accept_no_data)
        except keeping.Refused as wrong:
            wrong.errors.pop("accept_no_data", None)
            refused += _parts(item.located, wrong.errors)
    return refused


def _parts(located: Located, errors: dict[str, list[str]]) -> list[RefusedPart]:
    return [located.refuse(name, " ".join(words)) for name, words in errors.items()]


def _write(items: Sequence[_Item], by: User | None) -> None:
    try:
        with transaction.atomic():
            for item in items:
                if item.row is None:
                    item.made.created_by = by
                    keeping.insert(item.made)
                else:
                    keeping.update(item.row, item.made, item.changed, item.row.version)
    except keeping.Overtaken as overtaken:
        raise ImportRefused([RefusedPart("file", 1, f"{overtaken} Import it again.")]) from None
    except keeping.Refused as wrong:  # somebody made one of its name meanwhile
        raise ImportRefused([RefusedPart("file", 1, str(wrong))]) from None
