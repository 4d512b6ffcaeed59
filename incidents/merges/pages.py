"""Merging by hand: what to merge, undoing it, and the buttons of what is proposed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from accounts.permissions import role_required
from accounts.problems import problem
from incidents import lifecycle
from incidents.merges import merging, proposals
from incidents.merges.duplicates import Similarity, describe, rated
from incidents.merges.unmerging import unmerge
from incidents.models import Incident, MergeProposal
from incidents.pages import PageRequest, panels_answer
from incidents.text_search import incidents_with

COMPARED, SHOWN = 100, 20


class Search(forms.Form):
    q = forms.CharField(label="Search", required=False, max_length=200)


class Choice(forms.Form):
    """Which of the incidents that were shown, and which of them survives."""

    others = forms.ModelMultipleChoiceField(
        Incident.objects.active(), error_messages={"required": "Choose at least one incident."}
    )
    keep = forms.ChoiceField(choices=[("this", "this"), ("other", "other")], initial="this")
    reason = forms.CharField(required=False, max_length=10_000)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("keep") == "other" and len(given.get("others", ())) > 1:
            raise forms.ValidationError("An incident can become part of one other only.")
        return given


@require_http_methods(["GET", "POST"])
@role_required(Role.RESPONDER)
def merge(request: PageRequest, reference: str) -> HttpResponse:
    """Choose what to merge the incident with; POST merges and leads to the survivor."""
    try:
        found = Incident.objects.by_reference(reference)
    except Incident.DoesNotExist:
        raise Http404(f"No incident {reference[:100]}") from None
    if found.merged_into_id is not None:
        return redirect(found)
    choice = Choice(request.POST or None)
    if request.method == "POST" and choice.is_valid():
        others = list(choice.cleaned_data["others"])
        here = choice.cleaned_data["keep"] == "this"
        survivor = found if here else others[0]
        try:
            merging.merge_all(
                source_ids=[one.pk for one in (others if here else [found])],
                target_id=survivor.pk,
                actor=request.user,
                reason=choice.cleaned_data["reason"],
            )
        except (lifecycle.TransitionRefused, merging.CannotMerge) as refusal:
            choice.add_error(None, str(refusal))
        else:
            return redirect(survivor)
    search = Search(request.GET)
    q = search.cleaned_data["q"] if search.is_valid() else ""
    context = {"incident": found, "choice": choice, "q": q, "alike": alike(found, q)}
    status = 400 if choice.errors else 200
    return render(request, "incidents/merge.html", context, status=status)


def alike(incident: Incident, q: str = "") -> list[Similarity]:
    """Of the newest unresolved incidents, those that match `q`, or those of its environment
    when nothing is searched for: the SHOWN most alike."""
    others = Incident.objects.active().exclude(pk=incident.pk)
    others = (
        others.filter(incidents_with(q)) if q else others.filter(environment=incident.environment)
    )
    newest = others.order_by("-number")[:COMPARED]
    return rated(describe([incident])[incident.pk], newest)[:SHOWN]


@require_POST
@role_required(Role.RESPONDER)
def undo(request: PageRequest, incident_id: UUID) -> HttpResponse:
    """Un-merge the incident; the answer is the survivor's page, whose button it is, as it is now,
    or for a plain form the way to the incident itself."""
    found = get_object_or_404(Incident, pk=incident_id)
    try:
        done = unmerge(source_id=incident_id, actor=request.user)
    except lifecycle.TransitionRefused as error:
        return problem(409, "transition-refused", str(error), allowed=list(error.allowed))
    if not request.htmx:
        return redirect(found)
    return panels_answer(request, Incident.objects.get(pk=done.target_id))


@require_POST
@role_required(Role.RESPONDER)
def decide(request: PageRequest, incident_id: UUID, proposal_id: UUID, name: str) -> HttpResponse:
    """Accept or dismiss a proposal; the answer is the page of the incident, or of its survivor."""
    pair = get_object_or_404(MergeProposal, pk=proposal_id)
    if incident_id not in (pair.older_id, pair.newer_id):
        raise Http404("No such proposal")
    try:
        if name == "accept":
            merging.accept(proposal_id=pair.pk, actor=request.user)
        else:
            proposals.dismiss(proposal_id=pair.pk, actor=request.user)
    except proposals.AlreadyDecided as error:
        return problem(409, "already-decided", str(error))
    except lifecycle.TransitionRefused as error:
        return problem(409, "transition-refused", str(error), allowed=list(error.allowed))
    return panels_answer(request, Incident.objects.get(pk=incident_id))
