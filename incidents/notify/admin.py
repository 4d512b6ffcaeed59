"""The admin of notifications. Channels and rules have pages of their own; rows are read only."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from incidents.models import (
    NotificationAttempt,
    NotificationChannel,
    NotificationDelivery,
    NotificationRule,
)


@admin.register(NotificationChannel)
class NotificationChannelAdmin(admin.ModelAdmin[NotificationChannel]):
    """Removed on its page, never deleted: what was sent refers to it."""

    list_display = ["name", "kind", "enabled", "state", "last_success_at", "last_error"]
    list_filter = ["kind", "enabled"]
    search_fields = ["name"]
    readonly_fields = [
        "failures",
        "paused_until",
        "last_success_at",
        "last_error_at",
        "last_error",
        "removed_at",
    ]

    def has_delete_permission(
        self, request: HttpRequest, obj: NotificationChannel | None = None
    ) -> bool:
        return False


@admin.register(NotificationRule)
class NotificationRuleAdmin(admin.ModelAdmin[NotificationRule]):
    list_display = ["name", "enabled", "severity_at_least", "environment", "quietly"]
    list_filter = ["enabled", "severity_at_least", "environment"]
    search_fields = ["name"]
    filter_horizontal = ["services", "channels"]


class AttemptInline(admin.TabularInline[NotificationAttempt, NotificationDelivery]):
    model = NotificationAttempt
    extra = 0
    can_delete = False
    readonly_fields = ["number", "at", "seconds", "outcome", "status_code", "said"]

    def has_add_permission(
        self, request: HttpRequest, obj: NotificationDelivery | None = None
    ) -> bool:
        return False


@admin.register(NotificationDelivery)
class NotificationDeliveryAdmin(admin.ModelAdmin[NotificationDelivery]):
    list_display = ["created_at", "channel", "event", "state", "attempts", "error"]
    list_filter = ["state", "event", "channel"]
    list_select_related = ["channel", "incident"]
    show_full_result_count = False
    inlines = [AttemptInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: NotificationDelivery | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: NotificationDelivery | None = None
    ) -> bool:
        return False
