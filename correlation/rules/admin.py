"""The admin of cause rules; what was done to them is read there only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from correlation.models import CorrelationRule, RuleChange
from correlation.rules import edits as rule_edits
from correlation.rules.edits import is_shipped
from correlation.rules.shelf import arranged
from incidents.admin import ReadOnlyAdmin


@admin.register(CorrelationRule)
class CorrelationRuleAdmin(admin.ModelAdmin[CorrelationRule]):
    list_display = ["name", "enabled", "priority", "in_place_of", "kind", "problem", "updated_at"]
    list_filter = ["enabled"]
    search_fields = ["name"]
    fields = ["name", "enabled", "priority", "definition", "problem", "updated_at", "updated_by"]
    readonly_fields = ["problem", "updated_at", "updated_by"]

    def get_readonly_fields(self, request: HttpRequest, obj: CorrelationRule | None = None) -> Any:
        """A rule keeps its name: its history goes by it."""
        fields = list(super().get_readonly_fields(request, obj))
        return fields if obj is None else ["name", *fields]

    def save_model(
        self, request: HttpRequest, obj: CorrelationRule, form: Any, change: bool
    ) -> None:
        assert isinstance(request.user, User)
        given = {name: getattr(obj, name) for name in ("enabled", "priority", "definition")}
        if change:
            rule_edits.edit(name=obj.name, changes=given, actor=request.user)
        else:
            made = rule_edits.create(name=obj.name, actor=request.user, **given)
            obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: CorrelationRule) -> None:
        assert isinstance(request.user, User)
        rule_edits.remove(name=obj.name, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CorrelationRule]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    @admin.display(description="In place of a shipped rule", boolean=True)
    def in_place_of(self, row: CorrelationRule) -> bool:
        return is_shipped(row.name)

    @admin.display(description="Kind", empty_value="as shipped")
    def kind(self, row: CorrelationRule) -> Any:
        return (row.definition or {}).get("kind")

    @admin.display(description="Problem", empty_value="none")
    def problem(self, row: CorrelationRule) -> str | None:
        found = (one for one in arranged([row]) if one.row is row)
        return next((one.problem for one in found if one.problem), None)


@admin.register(RuleChange)
class RuleChangeAdmin(ReadOnlyAdmin):
    list_display = ["rule", "action", "actor", "at"]
    list_filter = ["action"]
    list_select_related = ["actor"]
    search_fields = ["rule"]
