"""The admin of SLOs and their corrections; what was counted of them is read there only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from incidents.admin import ReadOnlyAdmin
from slos import keeping
from slos.models import SLO, SLOBreach, SLOCorrection, SLOSnapshot


class SLOForm(forms.ModelForm[SLO]):
    """Checked like anywhere else, but for the source: the pages of SLOs ask it."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        name = self.cleaned_data.get("name")
        if name in keeping.RESERVED:
            self.add_error("name", f"{name!r} is an address of ours; choose another name.")


@admin.register(SLO)
class SLOAdmin(admin.ModelAdmin[SLO]):
    form = SLOForm
    list_display = ["name", "service", "target", "period", "enabled", "status", "quality"]
    list_filter = ["enabled", "status", "quality"]
    list_select_related = ["service"]
    search_fields = ["name", "display_name", "service__slug"]
    readonly_fields = [
        "status", "status_since", "quality", "sli", "budget_remaining", "burn_rates",
        "covered_seconds", "evaluated_at", "error", "failed_at", "version", "created_by",
        "created_at", "updated_at",
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: SLO | None = None) -> Any:
        """A name is kept for good."""
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "name"] if obj is not None else fields

    def has_delete_permission(self, request: HttpRequest, obj: SLO | None = None) -> bool:
        """One that has counted something is disabled, and keeps its history."""
        may = super().has_delete_permission(request, obj)
        return may and obj is not None and not obj.samples.exists()

    def save_model(self, request: HttpRequest, obj: SLO, form: Any, change: bool) -> None:
        """What the evaluation writes is left alone."""
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
            obj.save()
        elif form.changed_data:
            keeping.claim(obj, None)
            obj.save(update_fields=[*form.changed_data, "version", "updated_at"])
        keeping.count_soon(obj)


@admin.register(SLOCorrection)
class SLOCorrectionAdmin(ReadOnlyAdmin):
    """Made and withdrawn on the SLO's page: what they exclude is marked there."""

    list_display = ["slo", "starts_at", "ends_at", "reason", "author", "withdrawn_at"]
    list_select_related = ["slo", "author"]
    search_fields = ["slo__name", "reason"]


@admin.register(SLOSnapshot)
class SLOSnapshotAdmin(ReadOnlyAdmin):
    list_display = ["slo", "at", "status", "quality", "sli", "budget_remaining"]
    list_filter = ["status", "quality"]
    list_select_related = ["slo"]
    show_full_result_count = False


@admin.register(SLOBreach)
class SLOBreachAdmin(ReadOnlyAdmin):
    list_display = ["slo", "policy", "severity", "started_at", "ended_at", "incident"]
    list_filter = ["severity"]
    list_select_related = ["slo", "incident"]
