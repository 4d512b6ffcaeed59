"""The admin of maintenance windows, heartbeats and Alertmanagers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from incidents.models import Alertmanager, Heartbeat, MaintenanceWindow, Pulse


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(admin.ModelAdmin[MaintenanceWindow]):
    """Windows are cancelled on their page, never deleted: alerts refer to them."""

    list_display = ["name", "mode", "environment", "starts_at", "ends_at", "weekly", "state"]
    list_filter = ["mode", "environment", "weekly"]
    search_fields = ["name"]
    filter_horizontal = ["services"]
    readonly_fields = ["over_at", "created_by", "created_at", "cancelled_at", "cancelled_by"]
    show_full_result_count = False

    def has_delete_permission(
        self, request: HttpRequest, obj: MaintenanceWindow | None = None
    ) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: MaintenanceWindow, form: Any, change: bool
    ) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]  # signed in here
        super().save_model(request, obj, form, change)


class PulseInline(admin.TabularInline[Pulse, Heartbeat]):
    model = Pulse
    extra = 0
    can_delete = False
    readonly_fields = ["alert", "stopped_at", "incident"]

    def has_add_permission(self, request: HttpRequest, obj: Heartbeat | None = None) -> bool:
        return False


@admin.register(Heartbeat)
class HeartbeatAdmin(admin.ModelAdmin[Heartbeat]):
    list_display = ["name", "source", "interval_seconds", "grace_seconds", "enabled", "automatic"]
    list_filter = ["enabled", "source"]
    list_select_related = ["source"]
    inlines = [PulseInline]


@admin.register(Alertmanager)
class AlertmanagerAdmin(admin.ModelAdmin[Alertmanager]):
    list_display = ["url", "source", "enabled", "state", "last_success_at", "last_error"]
    list_filter = ["enabled", "source"]
    list_select_related = ["source"]
    readonly_fields = ["origin", "failures", "last_success_at", "last_error_at", "last_error"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Alertmanager | None = None
    ) -> list[str]:
        follows = obj is not None and obj.follows_environment
        return [*self.readonly_fields, *(Alertmanager.ENVIRONMENT_OWNS if follows else ())]

    def has_delete_permission(self, request: HttpRequest, obj: Alertmanager | None = None) -> bool:
        follows = obj is not None and obj.follows_environment
        return not follows and super().has_delete_permission(request, obj)
