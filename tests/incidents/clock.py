"""Time that passes: every time that the incidents app has kept lies so much longer ago."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db.models import DateTimeField, F

from incidents.models import Alert


def pass_time(seconds: float) -> None:
    """Whole seconds, so that claims kept as floats stay equal to those still to come."""
    for model in apps.get_app_config("incidents").get_models():
        names = [field.name for field in model._meta.fields if isinstance(field, DateTimeField)]
        if names:
            ago = timedelta(seconds=seconds)
            model._default_manager.update(**{name: F(name) - ago for name in names})
    for alert in Alert.objects.all():
        alert.members = {mark: _older(one, seconds) for mark, one in alert.members.items()}
        alert.save(update_fields=["members"])


def _older(member: dict[str, Any], seconds: float) -> dict[str, Any]:
    older = {
        name: value - seconds if name in ("from", "until", "told") and value is not None else value
        for name, value in member.items()
    }
    if "past" in member:
        older["past"] = [_older(one, seconds) for one in member["past"]]
    return older
