"""Deeds at incidents: steps, edits, people, tasks, timelines, merges, verdicts."""

from __future__ import annotations

from typing import Any

from accounts.models import Role, User
from correlation.models import Analysis
from incidents import lifecycle
from incidents.followup import add_task, work
from incidents.merges.merging import merge
from incidents.models import Incident, MergeProposal, Service
from incidents.people import roles
from tests.access.deeds.deed import Deed, Parts
from timeline.models import TimelineEvent
from timeline.pins import pin

ACTS = "/incidents/{incident_id}/acts/"
PAGE = "/incidents/{incident_id}/"
API = "/api/incidents/{reference}"


def parts_of(incident: Incident, **more: Any) -> Parts:
    return {"incident_id": incident.pk, "reference": incident.reference, **more}


def service(slug: str = "checkout") -> Service:
    return Service.objects.get_or_create(slug=slug, defaults={"name": slug.title()})[0]


def opened(title: str = "Checkout fails") -> Incident:
    return lifecycle.open_incident(
        title=title, severity="high", services=[service()], allow_duplicate=True
    ).incident


def kim() -> User:
    made, _new = User.objects.get_or_create(
        username="kim", defaults={"email": "kim@example.com", "role": Role.RESPONDER}
    )
    return made


def open_one() -> Parts:
    service("cart")
    kim()
    return parts_of(opened())


def analysed() -> Parts:
    made = opened()
    Analysis.objects.update(status=Analysis.Status.DONE)
    return parts_of(made)


def resolved() -> Parts:
    return parts_of(lifecycle.resolve(incident_id=opened().pk, actor=None))


def commanded() -> Parts:
    made = opened()
    row, _new = roles.assign(incident_id=made.pk, user=kim(), role="commander", actor=None)
    return parts_of(made, role_id=row.pk, pk=row.pk)


def with_task() -> Parts:
    made = opened()
    task = add_task(incident_id=made.pk, title="Raise the limit", actor=None)
    return parts_of(made, task_id=task.pk, pk=task.pk, version=task.version)


def with_done_task() -> Parts:
    parts = with_task()
    task = work.edit_task(task_id=parts["task_id"], actor=None, changes={"state": "done"})
    return {**parts, "version": task.version}


def with_event() -> Parts:
    made = opened()
    return parts_of(made, seq=TimelineEvent.objects.filter(incident=made).first().seq)  # type: ignore[union-attr]


def pinned() -> Parts:
    parts = with_event()
    pin(TimelineEvent.objects.get(incident=parts["incident_id"], seq=parts["seq"]), kim())
    return parts


def two_open() -> Parts:
    other = opened("Cart fails")
    return parts_of(opened(), other=other.reference, other_id=str(other.pk))


def merged() -> Parts:
    source, target = opened("Cart fails"), opened()
    merge(source_id=source.pk, target_id=target.pk, actor=None)
    return parts_of(source)


def proposed() -> Parts:
    older, newer = opened("Cart fails"), opened()
    row = MergeProposal.objects.create(older=older, newer=newer, score=0.6, reason="same cause")
    return parts_of(older, proposal_id=row.pk, pk=row.pk)


STATUS, CHANGED = "incident.status_changed", "incident.changed"
VERDICT = {"service": "checkout", "title": "Checkout", "kind": "deploy", "verdict": "confirmed"}
DEEDS = (
    Deed("POST", "/incidents/new", "incident.created", lambda: {"s": service().pk},
         {"title": "Cart fails", "severity": "high", "service": "$s"}),
    Deed("POST", f"{PAGE}acknowledge", STATUS, open_one),
    Deed("POST", f"{PAGE}mitigate", STATUS, open_one),
    Deed("POST", f"{PAGE}resolve", STATUS, open_one),
    Deed("POST", f"{PAGE}reopen", STATUS, resolved),
    Deed("POST", f"{ACTS}mitigate", STATUS, open_one),
    Deed("POST", f"{ACTS}resolve", STATUS, open_one, {"resolution": "Rolled back"}),
    Deed("POST", f"{ACTS}reopen", STATUS, resolved, {"reason": "Back again"}),
    Deed("POST", f"{ACTS}close", STATUS, open_one, {"closed_as": "drill", "reason": "Planned"}),
    Deed("POST", f"{ACTS}archive", CHANGED, resolved),
    Deed("POST", f"{ACTS}times", CHANGED, open_one,
         {"started_at": "2026-01-01T00:00:00", "reason": "Logs say so"}),
    Deed("POST", f"{ACTS}edit", CHANGED, open_one, {"title": "Other"}),
    Deed("POST", f"{ACTS}services", CHANGED, lambda: {**open_one(), "s": service("cart").pk},
         {"add": "$s", "add_impact": "secondary"}),
    Deed("POST", f"{ACTS}role", "incident_role.created", open_one,
         {"role": "scribe", "user": "kim"}),
    Deed("POST", f"{PAGE}command", "incident_role.created", open_one),
    Deed("POST", f"{PAGE}roles/{{role_id}}/end", "incident_role.changed", commanded),
    Deed("POST", f"{PAGE}tasks/new", "incident_task.created", open_one, {"title": "Raise it"}),
    Deed("POST", "/tasks/{task_id}/edit", "incident_task.changed", with_task, {"title": "Lower"}),
    Deed("POST", "/tasks/{task_id}/in_progress", "incident_task.changed", with_task),
    Deed("POST", "/tasks/{task_id}/done", "incident_task.changed", with_task),
    Deed("POST", "/tasks/{task_id}/dropped", "incident_task.changed", with_task),
    Deed("POST", "/tasks/{task_id}/open", "incident_task.changed", with_done_task),
    Deed("POST", f"{PAGE}analyse", "analysis.requested", analysed),
    Deed("POST", f"{PAGE}notes", "timeline.note", open_one, {"text": "Seen"}),
    Deed("POST", f"{PAGE}events/{{seq}}/correction", "timeline.correction", with_event,
         {"text": "It was not so"}),
    Deed("POST", f"{PAGE}events/{{seq}}/link", "timeline.link", with_event,
         {"to": "https://example.com/a"}),
    Deed("POST", f"{PAGE}events/{{seq}}/pin", "pinned_event.created", with_event),
    Deed("POST", f"{PAGE}events/{{seq}}/unpin", "pinned_event.changed", pinned),
    Deed("POST", f"{PAGE}proposals/{{proposal_id}}/accept", "incident_merge.created", proposed),
    Deed("POST", f"{PAGE}proposals/{{proposal_id}}/dismiss", "merge_proposal.changed", proposed),
    Deed("POST", f"{PAGE}unmerge", "incident_merge.changed", merged),
    Deed("POST", f"{PAGE}verdict", "cause_verdict.created", open_one, VERDICT),
    Deed("POST", "/incidents/{reference}/merge", "incident_merge.created", two_open,
         {"others": "$other_id", "keep": "this"}),
    Deed("POST", "/api/incidents", "incident.created", lambda: {"s": service().slug},
         {"title": "Cart fails", "severity": "high", "service": "$s"}),
    Deed("PATCH", API, CHANGED, open_one, {"title": "Other"}),
    Deed("POST", f"{API}/acknowledge", STATUS, open_one),
    Deed("POST", f"{API}/mitigate", STATUS, open_one),
    Deed("POST", f"{API}/resolve", STATUS, open_one, {"resolution": "Rolled back"}),
    Deed("POST", f"{API}/reopen", STATUS, resolved, {"reason": "Back"}),
    Deed("POST", f"{API}/close", STATUS, open_one, {"as": "false_positive", "reason": "A test"}),
    Deed("POST", f"{API}/archive", CHANGED, resolved),
    Deed("POST", f"{API}/analyse", "analysis.requested", analysed),
    Deed("POST", f"{API}/merge", "incident_merge.created", two_open, {"into": "$other"}),
    Deed("POST", f"{API}/unmerge", "incident_merge.changed", merged),
    Deed("POST", f"{API}/roles", "incident_role.created", open_one,
         {"role": "commander", "user": "kim"}),
    Deed("POST", f"{API}/roles/{{pk}}/end", "incident_role.changed", commanded),
    Deed("POST", f"{API}/tasks", "incident_task.created", open_one, {"title": "Raise it"}),
    Deed("PATCH", f"{API}/tasks/{{pk}}", "incident_task.changed", with_task, {"state": "done"}),
    Deed("POST", f"{API}/timeline", "timeline.note", open_one, {"title": "Seen"}),
    Deed("POST", f"{API}/timeline/{{seq}}/links", "timeline.link", with_event,
         {"to": "https://example.com/a"}),
    Deed("POST", f"{API}/timeline/{{seq}}/pin", "pinned_event.created", with_event),
    Deed("DELETE", f"{API}/timeline/{{seq}}/pin", "pinned_event.changed", pinned),
    Deed("POST", f"{API}/verdicts", "cause_verdict.created", open_one, VERDICT),
    Deed("POST", "/api/merge-proposals/{pk}/accept", "incident_merge.created", proposed),
    Deed("POST", "/api/merge-proposals/{pk}/dismiss", "merge_proposal.changed", proposed),
)  # fmt: skip
