"""What things are called in the audit."""

from __future__ import annotations

import re

from django.db import models


def kind_of(model: type[models.Model]) -> str:
    """GroupingRule: grouping_rule, SLOCorrection: slo_correction."""
    between = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    return re.sub(between, "_", model.__name__).lower()
