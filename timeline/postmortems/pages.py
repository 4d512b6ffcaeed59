"""The postmortem as a page to write in, and the list of all."""

from __future__ import annotations

from collections.abc import Callable
from difflib import unified_diff
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Role
from accounts.permissions import role_required
from incidents.models import Incident
from incidents.pages import PageRequest
from timeline.postmortems import drafts, editing, review
from timeline.postmortems.listing import postmortem_page
from timeline.postmortems.models import Postmortem, PostmortemAction, PostmortemSection
from timeline.postmortems.templates import ACTION_ITEMS
from timeline.reporting.composing import digest_of
from timeline.reporting.pages import incident_or_404, version_asked_for

TITLE_LENGTH = 300


@require_GET
@role_required(Role.VIEWER)
def postmortems(request: PageRequest) -> HttpResponse:
    """All of them, newest first; `?state=`, `?q=`."""
    state, q = request.GET.get("state", ""), request.GET.get("q", "").strip()[:200]
    if state and state not in Postmortem.State.values:
        raise Http404("No such state")
    try:
        page = postmortem_page(state=state, q=q, older=request.GET.get("older", ""))
    except (ValueError, OverflowError):
        raise Http404("This link to older postmortems is not valid.") from None
    context = {"page": page, "state": state, "q": q, "states": Postmortem.State.choices}
    return render(request, "timeline/postmortems.html", context)


@require_GET
@role_required(Role.VIEWER)
def postmortem(request: PageRequest, reference: str) -> HttpResponse:
    """The newest revision, `?version=` an earlier one; before there is one, why."""
    incident = incident_or_404(reference)
    revisions = list(incident.postmortems.defer("markdown").order_by("-revision"))
    try:
        wanted = version_asked_for(request.GET.get("version", ""))
    except ValueError:
        raise Http404("No such revision") from None
    found = next((one for one in revisions if wanted in (None, one.revision)), None)
    if found is None and wanted is not None:
        raise Http404("No such revision")
    context: dict[str, Any] = {"incident": incident, "revisions": revisions, "postmortem": found}
    if found is not None:
        context |= _shown(found, revisions)
    return render(request, "timeline/postmortem.html", context)


def _shown(found: Postmortem, revisions: list[Postmortem]) -> dict[str, Any]:
    actions = list(found.actions.select_related("task__owner", "added_by"))
    sections = list(found.sections.select_related("edited_by"))
    for section in sections:
        section.diff = _diff(section)  # type: ignore[attr-defined]
    return {
        "sections": sections,
        "actions_in": ACTION_ITEMS,
        "actions": [one for one in actions if not one.dropped],
        "left_out": [one for one in actions if one.dropped],
        "steps": list(found.steps.select_related("by")),
        "is_newest": found == revisions[0],
        "tampered": found.is_published and digest_of(found.markdown) != found.digest,
    }


def _diff(section: PostmortemSection) -> list[str]:
    """What a newer draft would change; empty for none."""
    if not section.has_newer_draft:
        return []
    lines = unified_diff(
        (section.text or "").splitlines(), section.drafted.splitlines(), lineterm="", n=2
    )
    return [line for line in lines if not line.startswith(("---", "+++"))]


Act = Callable[[PageRequest, Incident, Postmortem], str]


def _redraft(request: PageRequest, incident: Incident, found: Postmortem) -> str:
    drafts.draft_now(incident=incident, actor=request.user)
    return "It was drafted again; what people wrote stays."


def _revise(request: PageRequest, incident: Incident, found: Postmortem) -> str:
    made = drafts.revise(incident=incident, actor=request.user)
    return f"Revision {made.revision} can be edited."


def _request(request: PageRequest, incident: Incident, found: Postmortem) -> str:
    review.request_review(postmortem_id=found.pk, actor=request.user, comment=_comment(request))
    return "The review is asked for: somebody else approves it."


def _approve(request: PageRequest, incident: Incident, found: Postmortem) -> str:
    review.approve(postmortem_id=found.pk, actor=request.user, comment=_comment(request))
    return "Approved; it can be published."


def _send_back(request: PageRequest, incident: Incident, found: Postmortem) -> str:
    review.send_back(postmortem_id=found.pk, actor=request.user, comment=_comment(request))
    return "It is a draft again."


def _publish(request: PageRequest, incident: Incident, found: Postmortem) -> str:
    review.publish(postmortem_id=found.pk, actor=request.user)
    return "Published and frozen; its action items are tasks."


def _add_action(request: PageRequest, incident: Incident, found: Postmortem) -> str:
    title = request.POST.get("title", "").strip()
    if not title or len(title) > TITLE_LENGTH:
        raise review.StepRefused(f"An action item needs a title of at most {TITLE_LENGTH} letters.")
    editing.add_action(postmortem_id=found.pk, title=title, actor=request.user)
    return "The action item is added."


def _on_action(request: PageRequest, found: Postmortem, act: str) -> str:
    try:
        given = {"postmortem_id": found.pk, "action_id": UUID(request.POST.get("action", ""))}
    except ValueError:
        raise PostmortemAction.DoesNotExist from None
    if act == "task":
        review.make_task(**given, actor=request.user)
        return "The action item is a task now."
    editing.drop_action(**given, dropped=act == "drop")
    return "The action item is left out." if act == "drop" else "The action item is back."


def _take_draft(request: PageRequest, incident: Incident, found: Postmortem) -> str:
    editing.take_draft(
        postmortem_id=found.pk,
        name=request.POST.get("section", ""),
        version=int(request.POST.get("version", "0")),
        actor=request.user,
    )
    return "The newer draft stands there now."


def _keep_words(request: PageRequest, incident: Incident, found: Postmortem) -> str:
    editing.keep_words(postmortem_id=found.pk, name=request.POST.get("section", ""))
    return "The words stay as they are."


ACTS: dict[str, Act] = {
    "redraft": _redraft,
    "revise": _revise,
    "request-review": _request,
    "approve": _approve,
    "send-back": _send_back,
    "publish": _publish,
    "add-action": _add_action,
    "task": lambda request, incident, found: _on_action(request, found, "task"),
    "drop": lambda request, incident, found: _on_action(request, found, "drop"),
    "restore": lambda request, incident, found: _on_action(request, found, "restore"),
    "take-draft": _take_draft,
    "keep-words": _keep_words,
}


def _comment(request: PageRequest) -> str:
    return request.POST.get("comment", "")[:10_000]


@require_POST
@role_required(Role.RESPONDER)
def act(request: PageRequest, reference: str, name: str) -> HttpResponse:
    """One button of the page; what is refused is said there."""
    incident = incident_or_404(reference)
    found = drafts.newest(incident)
    try:
        if found is None:
            drafts.draft_now(incident=incident, actor=request.user)
            said = "The postmortem is drafted."
        else:
            said = ACTS[name](request, incident, found)
        messages.success(request, said)
    except (
        editing.Published, editing.SectionConflict, drafts.NotSealed, review.StepRefused,
    ) as error:  # fmt: skip
        messages.error(request, str(error))
    except (PostmortemAction.DoesNotExist, PostmortemSection.DoesNotExist):
        raise Http404("No such part of the postmortem") from None
    except ValueError:
        messages.error(request, "The version is no number.")
    return redirect(reverse("incident-postmortem", args=[incident.reference]))
