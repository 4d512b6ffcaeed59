"""What may be asked: a span, a period, a service, a severity. Errors name the field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework import serializers

from accounts.models import User, validate_time_zone
from incidents.models import Service, Severity
from incidents.stats.overview import Asked
from incidents.stats.periods import PERIODS, periods

USUAL_DAYS = 90
MOST_PERIODS = 400
LONGEST_DAYS = 3660
OLDEST = 2000  # the year: before it no incident was recorded anywhere


class StatsQuery(serializers.Serializer[Any]):
    since = serializers.DateField(required=False, help_text="A day; 90 days before `until`.")
    until = serializers.DateField(required=False, help_text="A day, included; today.")
    period = serializers.ChoiceField(choices=PERIODS, default="week")
    service = serializers.CharField(required=False, allow_blank=True, max_length=100)
    severity = serializers.ChoiceField(required=False, allow_blank=True, choices=Severity.choices)
    time_zone = serializers.CharField(
        required=False,
        max_length=64,
        validators=[validate_time_zone],
        help_text="Whose days they are; one's own.",
    )

    def validate_service(self, slug: str) -> str:
        if slug and not Service.objects.filter(slug=slug).exists():
            raise serializers.ValidationError(f"There is no service {slug!r}.")
        return slug

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        zone = ZoneInfo(attrs.pop("time_zone", None) or self.context["time_zone"])
        until = attrs.setdefault("until", timezone.now().astimezone(zone).date())
        if not OLDEST <= until.year <= timezone.now().year + 1:
            raise serializers.ValidationError({"until": "There are no incidents of that time."})
        since = attrs.setdefault("since", until - timedelta(days=USUAL_DAYS - 1))
        if since > until:
            raise serializers.ValidationError({"since": "This is after `until`."})
        if since.year < OLDEST or (until - since).days > LONGEST_DAYS:
            raise serializers.ValidationError({"since": "At most ten years at once."})
        if len(periods(since, until, attrs["period"])) > MOST_PERIODS:
            most = f"At most {MOST_PERIODS} periods at once: choose longer ones."
            raise serializers.ValidationError({"period": most})
        return {**attrs, "zone": zone}


def read(given: Mapping[str, Any], user: Any) -> StatsQuery:
    """Not yet validated; days are of the user's time zone unless another is named."""
    zone = user.time_zone if isinstance(user, User) else "UTC"
    # an empty field of the page's form is one that was not given
    filled = {name: value for name, value in given.items() if value != ""}
    return StatsQuery(data=filled, context={"time_zone": zone})


def asked_of(query: StatsQuery) -> Asked:
    return Asked(**query.validated_data)
