"""Shapes of the API of maintenance windows, heartbeats and Alertmanagers (docs/api.md)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.moments import MomentField
from accounts.named import NamedField
from incidents.intake.matchers import BadMatcher, parse_matchers
from incidents.models import Alertmanager, AlertSource, Heartbeat, MaintenanceWindow, Service
from incidents.models.catalogue import PRODUCTION
from incidents.upkeep.heartbeats import Beating


class MatchersField(serializers.ListField):
    """Label matchers as texts, answered as they are understood: `name="value"`."""

    child = serializers.CharField(max_length=1000)

    def to_internal_value(self, data: Any) -> list[str]:
        texts = super().to_internal_value(data)
        try:
            return [str(matcher) for matcher in parse_matchers(texts)]
        except BadMatcher as error:
            raise serializers.ValidationError(str(error)) from error


class ServiceSlugsField(serializers.ListField):
    """Services by their slugs; looked up by the window's own validation."""

    child = serializers.CharField(max_length=100)

    def to_representation(self, data: Any) -> list[str]:
        return sorted(service.slug for service in data.all())


class SpanSerializer(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField(read_only=True)
    ends_at = serializers.DateTimeField(read_only=True)


class MaintenanceWindowSerializer(serializers.ModelSerializer[MaintenanceWindow]):
    """`services` are slugs of `environment` (production where that is empty)."""

    services = ServiceSlugsField(required=False)
    matchers = MatchersField(required=False)
    state = serializers.ChoiceField(
        choices=["upcoming", "current", "between", "over"],
        read_only=True,
        help_text="between: of a weekly one, until its next occasion.",
    )
    occasion = SpanSerializer(
        source="occasion_now",
        read_only=True,
        allow_null=True,
        help_text="The occasion that holds now, else the next; null when there is none.",
    )
    created_by = serializers.CharField(source="created_by.username", read_only=True, default=None)
    cancelled_by = serializers.CharField(
        source="cancelled_by.username", read_only=True, default=None
    )

    class Meta:
        model = MaintenanceWindow
        fields = [
            "id",
            "name",
            "description",
            "mode",
            "environment",
            "services",
            "matchers",
            "starts_at",
            "ends_at",
            "weekly",
            "repeats_until",
            "time_zone",
            "state",
            "occasion",
            "over_at",
            "created_by",
            "created_at",
            "cancelled_at",
            "cancelled_by",
        ]
        read_only_fields = ["over_at", "created_at", "cancelled_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kept = self.instance
        columns = [f.name for f in MaintenanceWindow._meta.concrete_fields]
        known = {name: getattr(kept, name) for name in columns} if kept else {}
        given = {name: value for name, value in attrs.items() if name != "services"}
        window = MaintenanceWindow(**{**known, **given})
        window._state.adding = kept is None
        window.clean()
        if "services" in attrs:
            attrs["services"] = services_of(attrs["services"], window.environment)
        named = attrs.get("services", list(kept.services.all()) if kept else [])
        if not (named or window.matchers or window.environment):
            raise serializers.ValidationError(
                {"matchers": ["Name services, matchers or an environment: this covers all."]}
            )
        return attrs


def services_of(slugs: list[str], environment: str) -> list[Service]:
    """The services of these slugs; raises ValidationError naming those that there are not."""
    found = list(Service.objects.filter(slug__in=slugs, environment=environment or PRODUCTION))
    if missing := sorted(set(slugs) - {service.slug for service in found}):
        raise serializers.ValidationError(
            {"services": [f"There is no service {slug!r} in the catalogue." for slug in missing]}
        )
    return found


class ExtensionSerializer(serializers.Serializer[Any]):
    ends_at = MomentField()


class PulseSerializer(serializers.Serializer[Beating]):
    """One series of a heartbeat."""

    labels = serializers.DictField(
        source="pulse.alert.labels", child=serializers.CharField(), read_only=True
    )
    beat_at = serializers.DateTimeField(read_only=True)
    due_at = serializers.DateTimeField(
        read_only=True, help_text="When it counts as stopped unless it beats before."
    )
    stopped_at = serializers.DateTimeField(
        source="pulse.stopped_at", read_only=True, allow_null=True
    )
    incident = serializers.CharField(
        source="pulse.incident.reference", read_only=True, default=None
    )


class HeartbeatSerializer(serializers.ModelSerializer[Heartbeat]):
    # a field of this name hides one of the base's, which only single fields use
    source = NamedField(  # type: ignore[assignment]
        slug_field="slug", queryset=AlertSource.objects.all()
    )
    matchers = MatchersField(allow_empty=False)
    state = serializers.ChoiceField(
        choices=["disabled", "waiting", "beating", "stopped"],
        read_only=True,
        help_text="waiting: no such alert has been received yet.",
    )
    pulses = serializers.SerializerMethodField()

    class Meta:
        model = Heartbeat
        fields = [
            "id",
            "source",
            "name",
            "matchers",
            "interval_seconds",
            "grace_seconds",
            "severity",
            "enabled",
            "automatic",
            "state",
            "pulses",
            "created_at",
        ]
        read_only_fields = ["automatic", "created_at"]

    @extend_schema_field(PulseSerializer(many=True))
    def get_pulses(self, heartbeat: Heartbeat) -> Any:
        return [PulseSerializer(one).data for one in Beating.of(heartbeat)]


class AlertmanagerSerializer(serializers.ModelSerializer[Alertmanager]):
    # a field of this name hides one of the base's, which only single fields use
    source = NamedField(  # type: ignore[assignment]
        slug_field="slug", queryset=AlertSource.objects.all()
    )
    state = serializers.ChoiceField(
        choices=["disabled", "never_read", "ok", "failing"], read_only=True
    )

    class Meta:
        model = Alertmanager
        fields = [
            "id",
            "source",
            "url",
            "enabled",
            "origin",
            "receiver",
            "auth_variable",
            "auth_file",
            "verify_tls",
            "ca_file",
            "timeout_seconds",
            "state",
            "failures",
            "last_success_at",
            "last_error_at",
            "last_error",
            "note",
            "firing",
            "version",
            "up_since",
            "created_at",
        ]
        read_only_fields = [
            "origin",
            "failures",
            "last_success_at",
            "last_error_at",
            "last_error",
            "note",
            "firing",
            "version",
            "up_since",
            "created_at",
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kept = self.instance
        columns = [f.name for f in Alertmanager._meta.concrete_fields]
        known = {name: getattr(kept, name) for name in columns} if kept else {}
        changed = {name for name in attrs if kept and getattr(kept, name) != attrs[name]}
        if kept and kept.follows_environment:
            told = ["This follows the environment (ALERTMANAGER_URL and its like)."]
            if stays := changed & set(Alertmanager.ENVIRONMENT_OWNS):
                raise serializers.ValidationError(dict.fromkeys(sorted(stays), told))
        Alertmanager(**{**known, **attrs}).clean()
        return attrs


class ReconcileSerializer(serializers.Serializer[Any]):
    """What one look at all Alertmanagers of the source led to."""

    read = serializers.IntegerField(read_only=True, help_text="Alertmanagers that answered.")
    unread = serializers.IntegerField(read_only=True)
    closed = serializers.IntegerField(read_only=True, help_text="Alerts that are over.")
    suppressed = serializers.IntegerField(read_only=True, help_text="Newly, or otherwise.")
    taken_in = serializers.IntegerField(read_only=True, help_text="Alerts never delivered.")
