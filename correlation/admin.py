"""The admin of data sources; their health and the analyses are read there only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest

from correlation.data_sources.breaker import health_of
from correlation.data_sources.catalogue import kept_option_errors
from correlation.data_sources.fields import ENVIRONMENT_OWNS
from correlation.data_sources.problems import problem
from correlation.models import Analysis, CauseVerdict, DataSource, RootCause
from correlation.rules.admin import CorrelationRuleAdmin, RuleChangeAdmin  # noqa: F401  (registers them)
from incidents.admin import ReadOnlyAdmin


class DataSourceForm(forms.ModelForm[DataSource]):
    def clean_options(self) -> Any:
        options = self.cleaned_data["options"]
        if "options" in self.changed_data and (kept := kept_option_errors(self.instance, options)):
            raise ValidationError(kept)
        return options

    def add_error(self, field: str | None, error: Any) -> None:
        """What is wrong with a field that is only read here is said above the form."""
        if field is None and isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            shown: dict[str, list[Any]] = {}
            for name, messages in error.error_dict.items():
                shown.setdefault(name if name in self.fields else NON_FIELD_ERRORS, []).extend(
                    messages
                )
            error = ValidationError(shown)
        super().add_error(field, error)


@admin.register(DataSource)
class DataSourceAdmin(admin.ModelAdmin[DataSource]):
    form = DataSourceForm
    list_display = ["slug", "kind", "environment", "enabled", "required", "origin", "breaker"]
    list_filter = ["kind", "environment", "enabled", "origin"]
    list_select_related = ["health"]
    search_fields = ["slug", "url"]
    readonly_fields = [
        "origin",
        "unset",
        "set_up",
        "breaker",
        "last_success",
        "last_error",
        "latency",
        "version",
        "created_at",
        "updated_at",
    ]
    fieldsets = [
        (None, {"fields": ["slug", "kind", "origin", "unset", "set_up"]}),
        ("Where", {"fields": ["url", "kubeconfig", "context"]}),
        ("When it is asked", {"fields": ["environment", "enabled", "by_default", "required"]}),
        ("Who we are there", {"fields": ["tenant", "auth_variable", "auth_file"]}),
        (
            "TLS",
            {"fields": ["verify_tls", "ca_file", "client_certificate_file", "client_key_file"]},
        ),
        ("How it is asked", {"fields": ["timeout_seconds", "options"]}),
        ("Links", {"fields": ["grafana_url", "grafana_uid"]}),
        ("Health", {"fields": ["breaker", "last_success", "last_error", "latency", "version"]}),
        ("Row", {"fields": ["created_at", "updated_at"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: DataSource | None = None) -> Any:
        """A source keeps its kind; what follows the environment is not edited here."""
        fields = list(super().get_readonly_fields(request, obj))
        if obj is not None:
            ours = obj.origin == DataSource.Origin.ENVIRONMENT
            fields += [*ENVIRONMENT_OWNS] if ours else ["kind"]
            fields += ["enabled"] if obj.unset else []
        return fields

    def has_delete_permission(self, request: HttpRequest, obj: DataSource | None = None) -> bool:
        """Rows of the environment come back at the next start."""
        ours = obj is not None and obj.origin == DataSource.Origin.ENVIRONMENT
        return not ours and super().has_delete_permission(request, obj)

    @admin.display(description="Set-up", empty_value="fine")
    def set_up(self, source: DataSource) -> str:
        return problem(source)

    @admin.display(description="Circuit breaker")
    def breaker(self, source: DataSource) -> str:
        health = health_of(source)
        if health.retry_at is None:
            return health.get_state_display()
        return f"{health.get_state_display()}, next try {health.retry_at:%H:%M:%S} UTC"

    @admin.display(description="Last success")
    def last_success(self, source: DataSource) -> Any:
        return health_of(source).last_success_at

    @admin.display(description="Last error")
    def last_error(self, source: DataSource) -> str:
        health = health_of(source)
        at = health.last_error_at
        return f"{at:%Y-%m-%d %H:%M:%S} UTC: {health.last_error}" if at else ""

    @admin.display(description="Latency (s)")
    def latency(self, source: DataSource) -> Any:
        return health_of(source).latency_seconds

    @admin.display(description="Version")
    def version(self, source: DataSource) -> str:
        return health_of(source).version


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


@admin.register(CauseVerdict)
class CauseVerdictAdmin(ReadOnlyAdmin):
    list_display = ["at", "incident", "verdict", "title", "by", "after_sealing"]
    list_filter = ["verdict", "after_sealing"]
    list_select_related = ["incident", "by"]
    search_fields = ["title", "reason"]
