"""The admin of data sources; analyses are read there only."""

from __future__ import annotations

from django.contrib import admin

from correlation.models import Analysis, DataSource, RootCause
from incidents.admin import ReadOnlyAdmin


@admin.register(DataSource)
class DataSourceAdmin(admin.ModelAdmin[DataSource]):
    list_display = ["slug", "kind", "url", "environment", "enabled"]
    list_filter = ["kind", "environment", "enabled"]


class RootCauseInline(admin.TabularInline[RootCause, Analysis]):
    model = RootCause
    extra = 0
    can_delete = False
    fields = ["rank", "service", "kind", "title", "confidence", "verdict"]
    readonly_fields = ["rank", "service", "kind", "title", "confidence", "verdict"]


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin):
    list_display = ["incident", "status", "reason", "attempt", "queued_at", "finished_at", "error"]
    list_filter = ["status", "reason"]
    list_select_related = ["incident"]
    show_full_result_count = False
    inlines = [RootCauseInline]
