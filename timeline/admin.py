"""Timelines can be looked at and never changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from timeline.models import TimelineAnchor, TimelineEvent
from timeline.postmortems import admin as postmortem_admin  # noqa: F401  (registers itself)


class ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(TimelineEvent)
class TimelineEventAdmin(ReadOnly):
    list_display = ("incident", "seq", "kind", "severity", "title", "actor", "occurred_at")
    list_filter = ("kind", "severity")
    list_select_related = ("incident", "actor")
    search_fields = ("title", "body", "incident__title")
    date_hierarchy = "occurred_at"
    ordering = ("-recorded_at", "-seq")


@admin.register(TimelineAnchor)
class TimelineAnchorAdmin(ReadOnly):
    list_display = ("incident", "length", "sealed_at", "root_digest")
    list_select_related = ("incident",)
