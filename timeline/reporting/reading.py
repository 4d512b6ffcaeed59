"""Which report is read: a version that was written, or the draft of what there is so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from incidents.models import Incident
from timeline.reporting.composing import as_markdown, compose, digest_of
from timeline.reporting.models import IncidentReport

DONE = IncidentReport.State.DONE


class NoSuchVersion(LookupError):
    """The incident has no report of that version."""


@dataclass(frozen=True)
class Reading:
    """`report` is the version that is read, None for a draft; `newest` the newest row of all.

    `versions` are those that were written, newest first; `state` is "draft" for a draft of an
    incident that goes on, "missing" where it is over and none was asked for, else the newest's.
    """

    content: dict[str, Any]
    markdown: str
    digest: str
    report: IncidentReport | None
    newest: IncidentReport | None
    versions: list[IncidentReport]
    state: str

    @property
    def is_newest(self) -> bool:
        return self.report is not None and self.report == self.versions[0]

    @property
    def meta(self) -> dict[str, Any]:
        """The report's standing, for JSON."""
        newest = self.newest
        return {
            "state": self.state,
            "draft": self.report is None,
            "version": self.report.version if self.report else None,
            "versions": [row.version for row in self.versions],
            "error": newest.error if newest else "",
            "digest": self.digest,
        }


def read(incident: Incident, version: int | None = None) -> Reading:
    """The version asked for, else the newest one that is of the incident as it stands.

    While the incident goes on, and until the report of its last resolution is written, that is a
    draft. Raises NoSuchVersion.
    """
    rows = list(incident.reports.defer("data", "markdown").order_by("-version"))
    newest = rows[0] if rows else None
    written = [row for row in rows if row.state == DONE]
    found = None
    if version is not None:
        found = next((row for row in written if row.version == version), None)
        if found is None:
            raise NoSuchVersion(f"{incident.reference} has no report of version {version}.")
    elif written and incident.is_resolved and newest is not None and newest.state == DONE:
        found = newest
    state = _state(incident, newest)
    if found is None:
        content = compose(incident, version=(newest.version if newest else 1), draft=True)
        text = as_markdown(content)
        return Reading(content, text, digest_of(text), None, newest, written, state)
    found.refresh_from_db(fields=["data", "markdown"])
    return Reading(found.data, found.markdown, found.digest, found, newest, written, state)


def _state(incident: Incident, newest: IncidentReport | None) -> str:
    if not incident.is_resolved or incident.merged_into_id is not None:
        return "draft"
    if newest is None or newest.state == IncidentReport.State.DROPPED:
        return "missing"
    return newest.state
