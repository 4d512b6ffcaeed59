"""The readings in force: a source's over the installation's, or over what is shipped."""

from __future__ import annotations

from collections.abc import Mapping

from incidents.intake.reading import SHIPPED, Reading
from incidents.models import AlertReading

INSTALLATION = ""


class Readings:
    """All readings, loaded once."""

    def __init__(self) -> None:
        rows = {row.scope: reading_of(row) for row in AlertReading.objects.all()}
        own = rows.pop(INSTALLATION, None)
        # its default may be empty, its lists are meant
        self._usual = SHIPPED if own is None else own.over(DEFAULTS)
        self._by_source = {scope: one.over(self._usual) for scope, one in rows.items()}

    def of(self, source: str) -> Reading:
        """How alerts of the source with this slug are read."""
        return self._by_source.get(source, self._usual)


DEFAULTS = Reading((), {}, (), {}, SHIPPED.severity_default)
"""What is left of SHIPPED where the installation has a reading of its own."""


def reading_of(row: AlertReading) -> Reading:
    """The row as a reading; names and values are compared in lower case too."""
    return Reading(
        steps=tuple(row.service_steps),
        names={**_lower(row.service_names), **row.service_names},
        severity_labels=tuple(row.severity_labels),
        severity_values=_lower(row.severity_values),
        severity_default=row.severity_default,
    )


def _lower(mapping: Mapping[str, str]) -> dict[str, str]:
    return {one.lower(): other for one, other in mapping.items()}
