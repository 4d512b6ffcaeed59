"""The postmortem as scripts see it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from timeline import notes
from timeline.postmortems.editing import LONGEST
from timeline.postmortems.models import (
    Postmortem,
    PostmortemAction,
    PostmortemSection,
    PostmortemStep,
)


class PostmortemSectionSerializer(serializers.ModelSerializer[PostmortemSection]):
    text = serializers.CharField(source="shown", read_only=True, help_text="Markdown, as it reads.")
    html = serializers.SerializerMethodField(help_text="The same as sanitised HTML.")
    is_draft = serializers.SerializerMethodField(help_text="Nobody has written in it.")
    edited_by = serializers.CharField(source="edited_by.username", default=None, read_only=True)
    newer_draft = serializers.SerializerMethodField(
        help_text="A draft made since a person wrote here; null for none."
    )

    class Meta:
        model = PostmortemSection
        fields = (
            "name", "title", "hint", "text", "html", "version", "is_draft", "edited_by",
            "edited_at", "newer_draft",
        )  # fmt: skip
        read_only_fields = fields

    def get_html(self, section: PostmortemSection) -> str:
        return str(notes.render(section.shown))

    def get_is_draft(self, section: PostmortemSection) -> bool:
        return section.text is None

    def get_newer_draft(self, section: PostmortemSection) -> str | None:
        return section.drafted if section.has_newer_draft else None


class PostmortemActionSerializer(serializers.ModelSerializer[PostmortemAction]):
    drafted = serializers.SerializerMethodField()
    task = serializers.UUIDField(source="task_id", read_only=True)

    class Meta:
        model = PostmortemAction
        fields = ("id", "title", "why", "drafted", "dropped", "task")
        read_only_fields = ("id", "dropped")

    def get_drafted(self, action: PostmortemAction) -> bool:
        return bool(action.key)


class PostmortemStepSerializer(serializers.ModelSerializer[PostmortemStep]):
    by = serializers.CharField(source="by.username", default=None, read_only=True)

    class Meta:
        model = PostmortemStep
        fields = ("act", "comment", "by", "at")
        read_only_fields = fields


class PostmortemSummarySerializer(serializers.ModelSerializer[Postmortem]):
    incident = serializers.CharField(source="incident.reference", read_only=True)
    title = serializers.CharField(source="incident.title", read_only=True)
    severity = serializers.CharField(source="incident.severity", read_only=True)
    url = serializers.SerializerMethodField()
    published_by = serializers.CharField(
        source="published_by.username", default=None, read_only=True
    )

    class Meta:
        model = Postmortem
        fields = (
            "id", "incident", "title", "severity", "url", "revision", "state", "template",
            "drafted_at", "root_digest", "published_by", "published_at", "digest", "created_at",
            "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_url(self, postmortem: Postmortem) -> str:
        return f"{postmortem.incident.get_absolute_url()}/postmortem"


class PostmortemSerializer(PostmortemSummarySerializer):
    sections = PostmortemSectionSerializer(many=True, read_only=True)
    actions = PostmortemActionSerializer(many=True, read_only=True)
    steps = PostmortemStepSerializer(many=True, read_only=True)

    class Meta:
        model = Postmortem
        fields = (*PostmortemSummarySerializer.Meta.fields, "sections", "actions", "steps")
        read_only_fields = fields


class PostmortemWordsSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(
        allow_blank=True, trim_whitespace=False, max_length=LONGEST, help_text="Markdown."
    )
    version = serializers.IntegerField(min_value=1, help_text="The section's, as it was read.")


class PostmortemWriteSerializer(serializers.Serializer[Any]):
    sections = serializers.DictField(child=PostmortemWordsSerializer(), allow_empty=False)


class PostmortemCommentSerializer(serializers.Serializer[Any]):
    comment = serializers.CharField(required=False, allow_blank=True, max_length=10_000, default="")


class PostmortemNewActionSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=300)
    why = serializers.CharField(required=False, allow_blank=True, max_length=10_000, default="")
