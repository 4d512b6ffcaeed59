"""The page on which an OpenSLO file is tried and imported."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from accounts.permissions import role_required
from incidents.pages import PageRequest
from slos.importing import ImportRefused, import_openslo
from slos.openslo.tree import MAX_BYTES


class ImportForm(forms.Form):
    """A file or its text; what is typed counts where both are given."""

    openslo = forms.CharField(
        label="OpenSLO v1",
        required=False,
        max_length=MAX_BYTES,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 14,
                "spellcheck": "false",
                "class": "code",
                "placeholder": "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: …",
            }
        ),
        help_text="One or more documents.",
    )
    file = forms.FileField(label="Or a file", required=False)
    accept_no_data = forms.BooleanField(
        label="Import SLOs although there is no data yet", required=False
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload = cleaned.get("file")
        if not cleaned.get("openslo", "").strip() and upload is not None:
            if upload.size > MAX_BYTES:
                raise forms.ValidationError(f"The file is larger than {MAX_BYTES:,} bytes.")
            try:
                cleaned["openslo"] = upload.read().decode()
            except UnicodeDecodeError:
                raise forms.ValidationError("The file is not UTF-8.") from None
        if not cleaned.get("openslo", "").strip():
            self.add_error("openslo", "Paste SLOs, or choose a file.")
        return cleaned


@require_http_methods(["GET", "POST"])
@role_required(Role.ADMIN)
def importing(request: PageRequest) -> HttpResponse:
    """`try` shows what would happen; `import` does it, all or nothing."""
    if request.method == "GET":
        return render(request, "slos/import.html", {"form": ImportForm()})
    form = ImportForm(request.POST, request.FILES)
    context: dict[str, Any] = {"form": form}
    status = 422
    if form.is_valid():
        given, dry = form.cleaned_data, "import" not in request.POST
        try:
            done = import_openslo(
                given["openslo"],
                by=request.user,
                dry_run=dry,
                accept_no_data=given["accept_no_data"],
            )
        except ImportRefused as refused:
            context["refusals"] = refused.refusals
        else:
            if not dry:
                made = sum(one.act != "keep" for one in done)
                messages.success(request, f"{made} of {len(done)} SLOs were made or changed.")
                for one in done:
                    for warning in one.warnings:
                        messages.warning(request, f"{one.name}: {warning}")
                return redirect("slos")
            context["tried"], status = done, 200
        # a file was read: its text stands in the form, so that the next button has it too
        context["form"] = ImportForm(
            initial={"openslo": given["openslo"], "accept_no_data": given["accept_no_data"]}
        )
    return render(request, "slos/import.html", context, status=status)
