"""Shapes of the incidents API; field names are the API's, see docs/api.md."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from rest_framework import serializers

from accounts.moments import MomentField
from incidents import selectors
from incidents.catalogue import users_query
from incidents.merges.survivors import survivor_of
from incidents.models import (
    AffectedService,
    ChangeEvent,
    Incident,
    Service,
    ServiceDependency,
    Severity,
)
from incidents.models.catalogue import PRODUCTION
from incidents.outbound.fields import link_errors
from incidents.people.serializers import HeldRoleSerializer

MOST_DIFF = 200_000
"""Characters of a diff that are taken; what breaks things is rarely that long."""

MOST_FILES = 1000
CLOCKS = timedelta(minutes=5)


class ServiceSlugField(serializers.SlugRelatedField[Service]):
    """A service by its slug, in the environment of the request, else that of the context, else
    "production"."""

    default_error_messages = {"does_not_exist": "There is no service {value!r} in the catalogue."}

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", Service.objects.all())
        super().__init__(slug_field="slug", **kwargs)

    def to_internal_value(self, data: Any) -> Service:
        environment = self.context.get("environment", PRODUCTION)
        initial = getattr(self.root, "initial_data", None)
        if isinstance(initial, dict) and isinstance(initial.get("environment"), str):
            environment = initial["environment"]
        if not isinstance(data, str):
            self.fail("invalid")
        if "\0" in f"{data}{environment}":  # no database keeps it
            self.fail("does_not_exist", value=data)
        try:
            return Service.objects.get(slug=data, environment=environment)
        except ObjectDoesNotExist:
            self.fail("does_not_exist", value=data)


class ServiceSerializer(serializers.ModelSerializer[Service]):
    class Meta:
        model = Service
        fields = [
            "id",
            "slug",
            "environment",
            "name",
            "description",
            "role",
            "tier",
            "team",
            "namespace",
            "users",
            "users_query",
            "revenue_per_hour",
            "runbook_url",
            "selectors",
            "created_at",
            "updated_at",
        ]

    def validate_selectors(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise serializers.ValidationError("Give an object: {kind of data source: selector}.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kept = self.instance.environment if self.instance else PRODUCTION
        environment = str(attrs.get("environment") or kept)
        if why := users_query.refused(attrs.get("users_query", ""), environment):
            raise serializers.ValidationError({"users_query": [why]})
        if "selectors" in attrs:
            found = selectors.check(attrs["selectors"], environment)
            if found:
                raise serializers.ValidationError(
                    {f"selectors.{path}".rstrip("."): [why] for path, why in found.items()}
                )
        return attrs


class DependencySerializer(serializers.ModelSerializer[ServiceDependency]):
    caller = ServiceSlugField()
    callee = ServiceSlugField()

    class Meta:
        model = ServiceDependency
        fields = ["id", "caller", "callee", "source", "created_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("caller") and attrs.get("caller") == attrs.get("callee"):
            raise serializers.ValidationError({"callee": ["A service does not call itself."]})
        return attrs


class ChangeSerializer(serializers.ModelSerializer[ChangeEvent]):
    """A change; a sender that gives its `id` may send it again."""

    id = serializers.UUIDField(required=False)
    service = ServiceSlugField(required=False, allow_null=True)
    at = MomentField()
    # not URLField: it refuses host names without a dot, such as http://jenkins:8080
    url = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    diff = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=MOST_DIFF
    )
    files = serializers.ListField(
        child=serializers.CharField(max_length=1000), required=False, max_length=MOST_FILES
    )

    class Meta:
        model = ChangeEvent
        fields = [
            "id",
            "service",
            "kind",
            "at",
            "title",
            "ref",
            "author",
            "url",
            "description",
            "diff",
            "files",
            "commit",
            "source",
            "created_at",
        ]
        read_only_fields = ["source", "created_at"]
        validators: ClassVar[list[Any]] = []  # what was told before is found, not refused

    def validate_url(self, url: str) -> str:
        if url and (errors := link_errors(url)):
            raise serializers.ValidationError(errors)
        return url

    def validate_at(self, at: datetime) -> datetime:
        if at > timezone.now() + CLOCKS:
            raise serializers.ValidationError("A change is told of when it was made, not before.")
        return at

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("service") is None and attrs["kind"] != ChangeEvent.Kind.COMMIT:
            raise serializers.ValidationError(
                {"service": "Name the service; only a commit may have none."}
            )
        return attrs


class AffectedServiceSerializer(serializers.ModelSerializer[AffectedService]):
    service = ServiceSlugField(read_only=True)
    name = serializers.CharField(source="service.name", read_only=True)

    class Meta:
        model = AffectedService
        fields = ["service", "name", "impact", "added_at", "recovered_at"]


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    reference = serializers.CharField(read_only=True)
    service = serializers.SerializerMethodField()
    services = AffectedServiceSerializer(source="affected", many=True, read_only=True)
    roles = HeldRoleSerializer(source="roles_held", many=True, read_only=True)
    merged_into = serializers.SerializerMethodField()
    duplicate_of = serializers.SerializerMethodField()
    survivor = serializers.SerializerMethodField()
    ttd_seconds = serializers.FloatField(read_only=True)
    mtta_seconds = serializers.FloatField(read_only=True)
    ttm_seconds = serializers.FloatField(read_only=True)
    mttr_seconds = serializers.FloatField(read_only=True)
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Incident
        fields = [
            "id",
            "number",
            "reference",
            "url",
            "title",
            "description",
            "severity",
            "status",
            "environment",
            "source",
            "service",
            "services",
            "roles",
            "started_at",
            "detected_at",
            "acknowledged_at",
            "mitigated_at",
            "resolved_at",
            "archived_at",
            "ttd_seconds",
            "mtta_seconds",
            "ttm_seconds",
            "mttr_seconds",
            "root_cause",
            "resolution",
            "merged_into",
            "survivor",
            "closed_as",
            "duplicate_of",
            "analysis_status",
            "top_cause",
            "top_cause_service",
            "top_cause_confidence",
            "business_impact",
            "version",
            "revision",
            "created_at",
            "updated_at",
        ]

    def get_service(self, incident: Incident) -> str | None:
        """The primary affected service's slug."""
        return next((a.service.slug for a in incident.affected.all()), None)

    def get_merged_into(self, incident: Incident) -> str | None:
        return incident.merged_into.reference if incident.merged_into else None

    def get_duplicate_of(self, incident: Incident) -> str | None:
        """The incident it was closed as a duplicate of, where that was over already."""
        return incident.duplicate_of.reference if incident.duplicate_of else None

    def get_survivor(self, incident: Incident) -> str | None:
        """Where the merges lead; null for one that is not merged."""
        return survivor_of(incident).reference if incident.merged_into else None


class IncidentWriteSerializer(serializers.Serializer[Incident]):
    """POST body: `service` (one slug) or `service_ids` (several), or neither."""

    title = serializers.CharField(max_length=300)
    description = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    severity = serializers.ChoiceField(Severity.choices)
    environment = serializers.CharField(required=False, max_length=63)
    service = ServiceSlugField(required=False)
    service_ids = ServiceSlugField(many=True, required=False)
    started_at = MomentField(required=False)
    allow_duplicate = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "service" in attrs and "service_ids" in attrs:
            raise serializers.ValidationError(
                {"service_ids": ["Give service or service_ids, not both."]}
            )
        one = attrs.pop("service", None)
        many = attrs.pop("service_ids", [])
        attrs["services"] = [one] if one else list(many)
        return attrs
