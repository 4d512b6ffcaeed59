"""Shapes of merges and proposals in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from incidents.models import Incident, IncidentMerge, MergeProposal


class IncidentField(serializers.SlugRelatedField[Incident]):
    """INC-number; given as that, as the number or as the id."""

    default_error_messages = {"does_not_exist": "There is no such incident."}

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", Incident.objects.all())
        super().__init__(slug_field="reference", **kwargs)

    def to_internal_value(self, data: Any) -> Incident:
        try:
            return Incident.objects.by_reference(str(data))
        except Incident.DoesNotExist:
            self.fail("does_not_exist")


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000, default="")


class MergeSerializer(ReasonSerializer):
    """Body of merge: `into` one that survives, or the `sources` that this one takes in."""

    into = IncidentField(required=False, help_text="The survivor: id or INC-number.")
    sources = serializers.ListField(
        child=IncidentField(),
        required=False,
        allow_empty=False,
        max_length=100,
        help_text="Those merged into this one: ids or INC-numbers.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("into" in attrs) == ("sources" in attrs):
            raise serializers.ValidationError({"into": "Give either `into` or `sources`."})
        return attrs


class IncidentMergeSerializer(serializers.ModelSerializer[IncidentMerge]):
    incident = IncidentField(source="source", read_only=True)
    into = IncidentField(source="target", read_only=True)
    actor = serializers.CharField(source="actor.username", default=None, read_only=True)
    undone_by = serializers.CharField(source="undone_by.username", default=None, read_only=True)
    parts = serializers.DictField(
        source="similarity_parts", child=serializers.FloatField(), read_only=True
    )

    class Meta:
        model = IncidentMerge
        fields = [
            "id",
            "incident",
            "into",
            "at",
            "actor",
            "automatic",
            "reason",
            "similarity",
            "parts",
            "undone_at",
            "undone_by",
            "undone_reason",
        ]
        read_only_fields = fields


class MergeProposalSerializer(serializers.ModelSerializer[MergeProposal]):
    older = IncidentField(read_only=True)
    newer = IncidentField(read_only=True)
    decided_by = serializers.CharField(source="decided_by.username", default=None, read_only=True)
    parts = serializers.DictField(child=serializers.FloatField(), read_only=True)

    class Meta:
        model = MergeProposal
        fields = [
            "id",
            "older",
            "newer",
            "state",
            "reason",
            "score",
            "parts",
            "created_at",
            "decided_at",
            "decided_by",
        ]
        read_only_fields = fields
