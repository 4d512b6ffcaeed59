"""The admin of the catalogue and of what has been received; incidents are read there only.

Status has one writer, `incidents.lifecycle`, so the admin offers no form for it.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, URLField
from django.http import HttpRequest

from incidents.alert_rules import admin as rules_admin  # noqa: F401  (registers its models)
from incidents.models import (
    AffectedService,
    Alert,
    AlertOccurrence,
    AlertSource,
    ChangeEvent,
    Delivery,
    Incident,
    IncidentMerge,
    IncidentTask,
    MergeProposal,
    Service,
    ServiceDependency,
    StatusChange,
)
from incidents.notify import admin as notify_admin  # noqa: F401  (registers its models)
from incidents.upkeep import admin as upkeep_admin  # noqa: F401  (registers its models)

# an address without a scheme, as Django 6 reads it
HTTPS: Any = {URLField: {"assume_scheme": "https"}}


class ReadOnlyAdmin(admin.ModelAdmin[Model]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class DependencyInline(admin.TabularInline[ServiceDependency, Service]):
    model = ServiceDependency
    fk_name = "caller"
    extra = 0


@admin.register(Service)
class ServiceAdmin(admin.ModelAdmin[Service]):
    list_display = ["slug", "name", "environment", "role", "tier", "team"]
    list_filter = ["environment", "role", "tier", "team"]
    search_fields = ["slug", "name", "team"]
    inlines = [DependencyInline]
    formfield_overrides = HTTPS


@admin.register(ChangeEvent)
class ChangeEventAdmin(admin.ModelAdmin[ChangeEvent]):
    list_display = ["at", "kind", "service", "title", "author", "source"]
    list_filter = ["kind", "source"]
    list_select_related = ["service"]
    search_fields = ["title", "ref"]
    formfield_overrides = HTTPS


@admin.register(AlertSource)
class AlertSourceAdmin(admin.ModelAdmin[AlertSource]):
    """Tokens are issued, rotated and revoked on the page of the source."""

    list_display = ["slug", "kind", "environment", "created_at"]
    list_filter = ["kind", "environment"]
    search_fields = ["slug"]
    view_on_site = False


class AffectedInline(admin.TabularInline[AffectedService, Incident]):
    model = AffectedService
    extra = 0
    can_delete = False
    readonly_fields = ["service", "impact", "added_at", "recovered_at"]


class StatusChangeInline(admin.TabularInline[StatusChange, Incident]):
    model = StatusChange
    extra = 0
    can_delete = False
    readonly_fields = ["from_status", "to_status", "at", "actor", "reason"]


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = ["reference", "title", "severity", "status", "started_at", "top_cause"]
    list_filter = ["status", "severity", "environment", "source"]
    search_fields = ["title", "number"]
    show_full_result_count = False
    inlines = [AffectedInline, StatusChangeInline]


@admin.register(IncidentMerge)
class IncidentMergeAdmin(ReadOnlyAdmin):
    list_display = ["source", "target", "at", "actor", "automatic", "similarity", "undone_at"]
    list_filter = ["automatic"]
    list_select_related = ["source", "target", "actor"]
    show_full_result_count = False


@admin.register(MergeProposal)
class MergeProposalAdmin(ReadOnlyAdmin):
    list_display = ["older", "newer", "state", "score", "created_at", "decided_by"]
    list_filter = ["state"]
    list_select_related = ["older", "newer", "decided_by"]
    show_full_result_count = False


@admin.register(IncidentTask)
class IncidentTaskAdmin(admin.ModelAdmin[IncidentTask]):
    list_display = ["title", "incident", "state", "owner", "due_at"]
    list_filter = ["state"]
    list_select_related = ["incident", "owner"]
    raw_id_fields = ["incident", "owner"]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ["name", "source", "first_seen_at", "last_seen_at", "received_count"]
    list_select_related = ["source"]
    search_fields = ["name"]
    show_full_result_count = False


@admin.register(AlertOccurrence)
class AlertOccurrenceAdmin(ReadOnlyAdmin):
    list_display = ["alert", "incident", "started_at", "resolved_at"]
    list_select_related = ["alert", "incident"]
    show_full_result_count = False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "source", "state", "attempt", "error"]
    list_filter = ["state", "source"]
    list_select_related = ["source"]
    show_full_result_count = False
