"""The forms under a cause: confirm it, reject it, name another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import RegexValidator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from accounts.models import Role
from accounts.permissions import role_required
from accounts.problems import problem
from correlation.memory import verdicts
from correlation.models import CauseVerdict, RootCause
from incidents.models import Incident
from incidents.pages import PageRequest, panels_answer


class Judgement(forms.Form):
    """`cause`, or `service` and `kind` for one that was not ranked."""

    cause = forms.UUIDField(required=False)
    service = forms.CharField(required=False, max_length=100)
    kind = forms.CharField(
        required=False, max_length=64, validators=[RegexValidator(r"^[a-z0-9_]*\Z")]
    )
    verdict = forms.ChoiceField(choices=CauseVerdict.Verdict.choices)
    reason = forms.CharField(required=False, max_length=10_000)


@require_POST
@role_required(Role.RESPONDER)
def judge(request: PageRequest, incident_id: UUID) -> HttpResponse:
    form = Judgement(request.POST)
    if not form.is_valid():
        return problem(400, "invalid", "; ".join(f"{k}: {v[0]}" for k, v in form.errors.items()))
    found = get_object_or_404(Incident, pk=incident_id)
    given: dict[str, Any] = {name: form.cleaned_data[name] for name in ("verdict", "reason")}
    if pk := form.cleaned_data["cause"]:
        causes = RootCause.objects.select_related("analysis")
        given["cause"] = get_object_or_404(causes, pk=pk, analysis__incident=found)
    else:
        given |= {name: form.cleaned_data[name] for name in ("service", "kind")}
    try:
        verdicts.give(incident_id=found.pk, actor=request.user, **given)
    except verdicts.VerdictRefused as refusal:
        return problem(409, "verdict-refused", str(refusal))
    found.refresh_from_db()
    return panels_answer(request, found)
