"""Finding entries: by who, what kind, which thing and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from rest_framework import serializers

from accounts.audit.models import AuditEntry

PAGE_SIZE = 50
LOCAL = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
HINTS = {
    "who": "A username, or a token's name: who contains it.",
    "kind": "incident, or incident.changed.",
    "target": "An id, or a part of the name.",
}


def select(
    *,
    who: str = "",
    kind: str = "",
    target: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEntry]:
    """Entries, newest first; `kind` is an action or the thing it begins with, `until` is not
    included."""
    found = AuditEntry.objects.all()
    if who:
        found = found.filter(actor_name__icontains=who)
    if kind:
        found = found.filter(Q(action=kind) | Q(action__startswith=f"{kind}."))
    if target:
        found = found.filter(Q(target_id=target) | Q(target_name__icontains=target))
    if since is not None:
        found = found.filter(at__gte=since)
    if until is not None:
        found = found.filter(at__lt=until)
    return found.order_by("-seq")


@dataclass(frozen=True)
class Page:
    """`older` is the seq that the next page goes on below, None on the last."""

    entries: list[AuditEntry]
    older: int | None


def page_of(found: QuerySet[AuditEntry], older: int | None) -> Page:
    if older is not None:
        found = found.filter(seq__lt=older)
    entries = list(found[: PAGE_SIZE + 1])
    more = len(entries) > PAGE_SIZE
    entries = entries[:PAGE_SIZE]
    return Page(entries, entries[-1].seq if more else None)


def _moment(label: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=False,
        input_formats=LOCAL,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL[0]),
    )


class AuditForm(forms.Form):
    """The page's filter; its times are wall times of the active time zone."""

    who = forms.CharField(required=False, max_length=200)
    kind = forms.CharField(required=False, max_length=64)
    target = forms.CharField(required=False, max_length=200)
    since = _moment("From")
    until = _moment("Until")
    older = forms.IntegerField(
        required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("since") and given.get("until") and given["since"] >= given["until"]:
            self.add_error("until", "This is not after the beginning.")
        return given


class AuditQuery(serializers.Serializer[Any]):
    """The API's filter; times are RFC 3339."""

    who = serializers.CharField(required=False, max_length=200, help_text=HINTS["who"])
    kind = serializers.CharField(required=False, max_length=64, help_text=HINTS["kind"])
    target = serializers.CharField(required=False, max_length=200, help_text=HINTS["target"])
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False, help_text="Not included.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "until" in attrs and attrs["since"] >= attrs["until"]:
            raise serializers.ValidationError({"until": "This is not after `since`."})
        return attrs
