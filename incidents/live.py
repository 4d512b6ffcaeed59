"""Live pages: panels that apps register, and their broadcast when an incident changes.

`incidents` renders a page made of panels it does not import. `changed` bumps the incident's
revision inside the caller's transaction and hands the panels to `broadcast` once after commit,
however many changes the transaction made; a lost message is made good by the snapshot on
connect and by the page's 30 s poll.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string

from incidents import broadcast
from incidents.merges.survivors import survivor_of
from incidents.models import Incident

logger = logging.getLogger("studio.live")

Context = Callable[[Incident, datetime | None], dict[str, Any]]


@dataclass(frozen=True)
class Panel:
    """A part of the incident page: `name` is its element id and its template `_<name>.html`.

    `context(incident, as_of)` gives the template's variables; `as_of` None means now.
    """

    name: str
    template: str
    context: Context
    column: Literal["top", "main", "side"] = "main"
    order: int = 100


_panels: dict[str, Panel] = {}
_COLUMNS = ("top", "main", "side")


def register(panel: Panel) -> None:
    _panels[panel.name] = panel


def unregister(name: str) -> None:
    _panels.pop(name, None)


def panels(names: Iterable[str] | None = None) -> list[Panel]:
    """The named panels (all when None) in page order."""
    wanted = None if names is None else set(names)
    chosen = [p for p in _panels.values() if wanted is None or p.name in wanted]
    return sorted(chosen, key=lambda p: (_COLUMNS.index(p.column), p.order, p.name))


def render(panel: Panel, incident: Incident, *, as_of: datetime | None = None, oob: bool) -> str:
    """The panel's HTML; a panel that raises is shown as broken and costs no other."""
    shared = {"incident": incident, "panel": panel, "oob": oob, "as_of": as_of}
    try:
        context = panel.context(incident, as_of)
        return render_to_string(panel.template, {**shared, **context})
    except Exception:
        # any bug of any app's panel: the rest of the page is needed now more than ever
        logger.exception("panel %s of %s could not be drawn", panel.name, incident.reference)
        return render_to_string("incidents/_broken_panel.html", shared)


def snapshot(incident: Incident, names: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """(panel name, out-of-band HTML) of the named panels, all when None."""
    return [(p.name, render(p, incident, oob=True)) for p in panels(names)]


def moved(incident: Incident) -> dict[str, str]:
    """What open pages of a merged incident are told: `moved` is the address that leads on."""
    survivor = survivor_of(incident)
    return {
        "moved": incident.get_absolute_url(),
        "words": f"{incident.reference} was merged into {survivor.reference}.",
    }


class _Publication:
    """What one transaction changed on one incident; handed on once, after commit."""

    def __init__(self, incident_id: UUID) -> None:
        self.incident_id = incident_id
        self.panels: set[str] = set()
        # Django names a robust hook that failed by this, and fails itself without it
        self.__qualname__ = type(self).__qualname__

    def __call__(self) -> None:
        broadcast.publish_soon(self.incident_id, self.panels)


def changed(incident_id: UUID, *names: str) -> None:
    """Bump the revision now and publish the named panels once the transaction commits.

    The update is also the incident's lock: callers that append to it do so after this line.
    """
    Incident.objects.filter(pk=incident_id).update(revision=F("revision") + 1)
    connection = transaction.get_connection()
    for _savepoints, hook, _robust in connection.run_on_commit:
        if isinstance(hook, _Publication) and hook.incident_id == incident_id:
            hook.panels.update(names)
            return
    publication = _Publication(incident_id)
    publication.panels.update(names)
    if not connection.in_atomic_block:
        publication()
        return
    # on_commit() would tie it to the innermost savepoint, and a transaction of nested blocks
    # would publish once for each; tied to none, a block rolled back alone costs one redraw
    connection.run_on_commit.append((set(), publication, True))
