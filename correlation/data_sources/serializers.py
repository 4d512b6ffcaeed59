"""Shapes of the data-source API (docs/api.md)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from correlation.data_sources.breaker import health_of
from correlation.data_sources.catalogue import ENVIRONMENT, kept_option_errors
from correlation.data_sources.fields import ENVIRONMENT_OWNS
from correlation.data_sources.problems import problem
from correlation.models import DataSource, SourceHealth


class SourceHealthSerializer(serializers.ModelSerializer[SourceHealth]):
    """How the source has been doing, and its circuit breaker."""

    class Meta:
        model = SourceHealth
        fields = [
            "state",
            "failures",
            "opened_at",
            "retry_at",
            "last_success_at",
            "last_error",
            "last_error_at",
            "latency_seconds",
            "version",
        ]
        read_only_fields = fields


class DataSourceSerializer(serializers.ModelSerializer[DataSource]):
    health = serializers.SerializerMethodField()
    problem = serializers.SerializerMethodField(
        help_text="What is wrong with its set-up in this process; empty when nothing is."
    )

    class Meta:
        model = DataSource
        fields = [
            "id",
            "slug",
            "kind",
            "url",
            "environment",
            "enabled",
            "by_default",
            "required",
            "origin",
            "tenant",
            "auth_variable",
            "auth_file",
            "kubeconfig",
            "context",
            "verify_tls",
            "ca_file",
            "client_certificate_file",
            "client_key_file",
            "timeout_seconds",
            "grafana_url",
            "grafana_uid",
            "options",
            "problem",
            "health",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["origin", "created_at"]

    @extend_schema_field(SourceHealthSerializer)
    def get_health(self, source: DataSource) -> dict[str, Any]:
        return SourceHealthSerializer(health_of(source)).data

    def get_problem(self, source: DataSource) -> str:
        return problem(source)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is not None:
            self._refuse_what_stays(self.instance, attrs)
        known = {
            field.name: getattr(self.instance, field.name)
            for field in DataSource._meta.concrete_fields
            if self.instance is not None
        }
        DataSource(**{**known, **attrs}).clean()
        return attrs

    def _refuse_what_stays(self, source: DataSource, attrs: dict[str, Any]) -> None:
        changed = {name for name, value in attrs.items() if getattr(source, name) != value}
        errors: dict[str, list[str]] = {}
        if "kind" in changed:
            errors["kind"] = ["A data source keeps its kind; make another one."]
        if source.origin == DataSource.Origin.ENVIRONMENT:
            variable = ENVIRONMENT[DataSource.Kind(source.kind)]
            for name in ENVIRONMENT_OWNS:
                if name in changed:
                    errors[name] = [f"This follows the environment ({variable} and its like)."]
            if "options" in changed and (kept := kept_option_errors(source, attrs["options"])):
                errors["options"] = kept
            if source.unset and "enabled" in changed:
                errors["enabled"] = [f"{variable} is not set."]
        if errors:
            raise serializers.ValidationError(errors)


class ProbeSerializer(serializers.Serializer[Any]):
    """What one look at the source found, now."""

    reachable = serializers.BooleanField(read_only=True)
    version = serializers.CharField(read_only=True)
    latency_seconds = serializers.FloatField(read_only=True, allow_null=True)
    error = serializers.CharField(read_only=True)
    reason = serializers.CharField(
        read_only=True, help_text="One word for the error, such as refused, timeout or 401."
    )
    health = SourceHealthSerializer(read_only=True)
