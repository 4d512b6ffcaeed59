"""What incidents refuse, in the words of the API and of the pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse

from accounts.problems import Problem, problem
from incidents.edits import EditRefused, Sealed, VersionConflict
from incidents.followup.work import TaskConflict, TaskRefused
from incidents.people.roles import RoleOver
from incidents.transitions import TransitionRefused

REFUSALS = (
    TransitionRefused,
    VersionConflict,
    Sealed,
    EditRefused,
    RoleOver,
    TaskRefused,
    TaskConflict,
)


@dataclass(frozen=True)
class Refusal:
    """A problem: its status, its slug, what it says and its further members."""

    status: int
    slug: str
    detail: str
    members: dict[str, Any] = field(default_factory=dict)


def refusal_of(error: BaseException | None) -> Refusal | None:
    """What to answer to one of REFUSALS; None for any other error."""
    match error:
        case TransitionRefused():
            now = {"status_now": error.incident.status, "allowed": list(error.allowed)}
            return Refusal(409, "transition-refused", str(error), now)
        case VersionConflict():
            return _conflict(error)
        case Sealed():
            return Refusal(409, "sealed", str(error), {"sealed_at": error.incident.resolved_at})
        case EditRefused():
            errors = {name: [why] for name, why in error.errors.items()}
            return Refusal(400, "invalid", " ".join(error.errors.values()), {"errors": errors})
        case RoleOver():
            return Refusal(409, "role-over", str(error))
        case TaskRefused():
            return Refusal(409, "transition-refused", str(error), {"allowed": list(error.allowed)})
        case TaskConflict():
            again = f"{error} Read it again and repeat your change."
            return Refusal(412, "version-conflict", again, {"version": error.task.version})
    return None


def _conflict(error: VersionConflict) -> Refusal:
    members: dict[str, Any] = {"version": error.incident.version}
    if error.last is not None:
        members["changed"] = {
            "by": error.last.who,
            "what": error.last.what,
            "at": error.last.at,
        }
    return Refusal(
        412, "version-conflict", f"{error} Read it again and repeat your change.", members
    )


class refusals:  # noqa: N801  (reads as a clause: `with refusals():`)
    """Turns what is refused into the API's 400, 409 and 412 answers."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        found = refusal_of(error)
        if found is not None:
            raise Problem(found.status, found.slug, found.detail, **found.members) from error


def page_problem(error: BaseException) -> HttpResponse:
    """The same for a page's form: it shows `detail`, and keeps what was typed.

    A conflict says to look again; the form goes on from the version that is told here.
    """
    found = refusal_of(error)
    if found is None:
        raise error
    detail = found.detail
    if found.status == 412:
        detail = f"{str(error).rstrip('.')}. Look again; what you typed is still here."
    return problem(found.status, found.slug, detail, **found.members)
