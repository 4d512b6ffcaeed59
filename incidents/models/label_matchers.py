"""The check of columns that hold label matchers."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from incidents.intake.matchers import BadMatcher, parse_matchers


def validate_matchers(value: Any) -> None:
    try:
        parse_matchers(value)
    except BadMatcher as error:
        raise ValidationError(str(error)) from error
