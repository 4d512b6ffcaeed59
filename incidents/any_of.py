"""A filter by one or more of some values, as query strings and untouched forms send it."""

from __future__ import annotations

from typing import Any

import django_filters
from django_filters.fields import MultipleChoiceField


class AnyOfField(MultipleChoiceField):
    """`?state=` asks for nothing, as it does of every other filter; unknown values are errors."""

    def to_python(self, value: Any) -> list[str]:
        return [one for one in super().to_python(value) if one]


class AnyOfFilter(django_filters.MultipleChoiceFilter):
    field_class = AnyOfField
