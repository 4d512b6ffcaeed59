"""Times that people and programs tell us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class MomentField(serializers.DateTimeField):
    """A time one can add to and subtract from: neither the first of all years nor the last."""

    def to_internal_value(self, value: Any) -> datetime:
        at: datetime = super().to_internal_value(value)
        if not EARLIEST <= at < LATEST:
            raise serializers.ValidationError("Give a time between 1970 and 2200.")
        return at
