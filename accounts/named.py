"""Rows that people and programs name: by slug, by username."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model
from rest_framework import serializers

Row = TypeVar("Row", bound=Model)


class NamedField(serializers.SlugRelatedField[Row]):
    """What is no text, or a text that no database keeps, names nothing."""

    def to_internal_value(self, data: Any) -> Row:
        if not isinstance(data, str):
            self.fail("invalid")
        if "\0" in data:
            self.fail("does_not_exist", slug_name=self.slug_field, value=data)
        return super().to_internal_value(data)
