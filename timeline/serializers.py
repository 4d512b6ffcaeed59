"""The timeline as scripts see it."""

from __future__ import annotations

from typing import Any, TypedDict

from rest_framework import serializers

from accounts.moments import MomentField
from timeline.kinds import CHOICES, GROUPS
from timeline.models import TITLE_LENGTH, Kind, Severity, TimelineEvent

LIMIT, HIGHEST_LIMIT = 500, 2000
BODY_LENGTH = 20_000
BY_HAND = (Kind.NOTE, Kind.MITIGATION_APPLIED, Kind.CORRECTION)


class ImageOfEvent(TypedDict):
    url: str
    name: str
    width: int
    height: int
    sha256: str


class EventSerializer(serializers.ModelSerializer[TimelineEvent]):
    actor = serializers.CharField(source="actor.username", default=None, read_only=True)
    corrects = serializers.IntegerField(
        source="corrects.seq", default=None, read_only=True, help_text="The corrected event's seq."
    )
    hash = serializers.CharField(
        source="digest", read_only=True, help_text="SHA-256 hex over this event and all before it."
    )

    images = serializers.SerializerMethodField()
    pinned = serializers.SerializerMethodField()
    origin = serializers.SerializerMethodField(
        help_text="The incident on whose timeline it stands: INC-number."
    )

    class Meta:
        model = TimelineEvent
        fields = (
            "id",
            "origin",
            "seq",
            "kind",
            "severity",
            "source",
            "title",
            "body",
            "occurred_at",
            "recorded_at",
            "actor",
            "corrects",
            "data",
            "images",
            "pinned",
            "hash",
        )
        read_only_fields = fields

    def get_images(self, event: TimelineEvent) -> list[ImageOfEvent]:
        """Its images; `sha256` is of the file at `url`."""
        told = event.data.get("images", ()) if isinstance(event.data, dict) else ()
        base = f"/api/incidents/{event.incident_id}/images"
        return [
            ImageOfEvent(
                url=f"{base}/{image['id']}",
                name=image["name"],
                width=image["width"],
                height=image["height"],
                sha256=image["sha256"],
            )
            for image in told
        ]

    def get_pinned(self, event: TimelineEvent) -> bool:
        known: bool | None = getattr(event, "is_pinned", None)  # annotated by timeline.union
        return known if known is not None else event.pins.filter(unpinned_at=None).exists()

    def get_origin(self, event: TimelineEvent) -> str:
        number = getattr(event, "origin_number", None)  # annotated by timeline.union
        return f"INC-{number}" if number is not None else event.incident.reference


class PageSerializer(serializers.Serializer[Any]):
    """The query of a timeline: events after `after_seq`, at most `limit` of them.

    With `union` those of the incidents merged into it too, after the event `after`.
    """

    after_seq = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=HIGHEST_LIMIT, default=LIMIT)
    union = serializers.BooleanField(default=False)
    kind = serializers.ListField(
        child=serializers.ChoiceField(choices=[(name, name) for name in CHOICES]),
        required=False,
        help_text="Only these kinds, or groups of them: " + ", ".join(GROUPS) + ".",
    )
    source = serializers.ListField(  # type: ignore[assignment]  # a field, as the name is theirs
        child=serializers.CharField(max_length=100), required=False, help_text="Only these sources."
    )
    after = serializers.UUIDField(
        required=False, help_text="With union: the id of the last event that was read."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["union"] and attrs["after_seq"]:
            raise serializers.ValidationError(
                {"after_seq": "Several timelines have this seq: give `after`, an event's id."}
            )
        if not attrs["union"] and "after" in attrs:
            raise serializers.ValidationError({"after": "It goes with union=true only."})
        return attrs


class WriteSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=TITLE_LENGTH)
    body = serializers.CharField(
        max_length=BODY_LENGTH, allow_blank=True, default="", help_text="Markdown."
    )
    kind = serializers.ChoiceField(
        choices=[(kind.value, kind.value) for kind in BY_HAND], default=Kind.NOTE.value
    )
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.INFO.value)
    occurred_at = MomentField(required=False, help_text="Now, when left out.")
    corrects = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, help_text="seq of the corrected event."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_correction = attrs["kind"] == Kind.CORRECTION
        if is_correction and "corrects" not in attrs:
            raise serializers.ValidationError({"corrects": "A correction names the event's seq."})
        if not is_correction and "corrects" in attrs:
            raise serializers.ValidationError({"corrects": "Only a correction names an event."})
        return attrs


class NoteSerializer(serializers.Serializer[Any]):
    """A note with images, as a form (multipart/form-data)."""

    title = serializers.CharField(max_length=TITLE_LENGTH, required=False, default="")
    body = serializers.CharField(max_length=BODY_LENGTH, allow_blank=True, default="")
    images = serializers.ListField(
        child=serializers.FileField(),
        min_length=1,
        help_text="PNG, JPEG, GIF or WebP, by content; each is decoded and written anew.",
    )


class LinkSerializer(serializers.Serializer[Any]):
    to = serializers.CharField(
        max_length=2000, help_text="Another event's seq, or an http(s) address."
    )
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class AbsorbedSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField()
    ok = serializers.BooleanField()
    length = serializers.IntegerField()
    bad_seq = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class VerificationSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    length = serializers.IntegerField(help_text="Events that are as they were written.")
    head = serializers.CharField(help_text="Digest of the last of these.")
    sealed_at = serializers.DateTimeField(allow_null=True)
    bad_seq = serializers.IntegerField(allow_null=True, help_text="The first event that is not.")
    reason = serializers.CharField(allow_blank=True)
    absorbed = AbsorbedSerializer(
        many=True, help_text="The timelines of all that was ever merged into it."
    )
