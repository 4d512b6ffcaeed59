"""What things are called in the audit."""

from __future__ import annotations

import re

from django.db import models


def kind_of(model: type[models.Model]) -> str:
    """GroupingRule: grouping_rule."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model.__name__).lower()
