"""Which status may follow which, and what is said when one may not."""

from __future__ import annotations

from collections.abc import Sequence

from incidents.models import Incident, Status

ALLOWED: dict[str, tuple[Status, ...]] = {
    Status.OPEN: (Status.INVESTIGATING, Status.MITIGATED, Status.RESOLVED),
    Status.INVESTIGATING: (Status.MITIGATED, Status.RESOLVED),
    Status.MITIGATED: (Status.INVESTIGATING, Status.RESOLVED),
    Status.RESOLVED: (),
}


def allowed(incident: Incident) -> tuple[Status, ...]:
    """Where it may go from where it is; nowhere while it is merged."""
    return () if incident.merged_into_id else ALLOWED[incident.status]


class TransitionRefused(Exception):
    """`allowed` names the statuses the incident may go to from where it is."""

    def __init__(self, incident: Incident, to: str, allowed: Sequence[str]) -> None:
        self.incident, self.to, self.allowed = incident, to, tuple(allowed)
        where = (
            f"merged into {incident.merged_into}" if incident.merged_into_id else incident.status
        )
        first = "un-merge" if incident.merged_into_id else "reopen"
        super().__init__(
            f"{incident.reference} is {where}; it cannot become {to}. "
            f"Allowed: {', '.join(self.allowed) or f'nothing; {first} it first'}."
        )
