"""Grouping rules and maps in the admin: the model says what may be written."""

from __future__ import annotations

from django.contrib import admin

from incidents.models import AlertReading, GroupingRule


@admin.register(GroupingRule)
class GroupingRuleAdmin(admin.ModelAdmin[GroupingRule]):
    list_display = ["name", "priority", "enabled", "environment", "window", "minimum_alerts"]
    list_filter = ["enabled", "environment"]
    search_fields = ["name"]
    filter_horizontal = ["sources"]


@admin.register(AlertReading)
class AlertReadingAdmin(admin.ModelAdmin[AlertReading]):
    list_display = ["__str__", "severity_default", "updated_at"]
