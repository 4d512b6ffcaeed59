"""Changes of rules and maps by several people: none is overwritten unseen."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.problems import Problem
from incidents.models import AlertReading, GroupingRule, NotificationChannel, NotificationRule

Edited = GroupingRule | AlertReading | NotificationChannel | NotificationRule
OVERTAKEN = "Somebody changed it while you did: open it again and compare."


def save(serializer: Any, version: int | None) -> None:
    """Save what the serializer holds as the next version; 412 when `version` is not the one."""
    with transaction.atomic():
        row: Edited = serializer.instance
        claim_version(row, version)
        serializer.save(version=row.version)


def save_form(form: Any) -> bool:
    """Save a form of a row as its next version; False when it is not at the form's `version`.

    A row that is new has none.
    """
    with transaction.atomic():
        row: Edited = form.instance
        if not row._state.adding:
            read = type(row)._default_manager.filter(
                pk=row.pk, version=form.cleaned_data["version"]
            )
            if not read.update(version=F("version") + 1):
                return False
            row.version = form.cleaned_data["version"] + 1
        form.save()
        return True


def remove(row: Edited, version: int | None) -> None:
    with transaction.atomic():
        claim_version(row, version)
        row.delete()


def claim_version(row: Edited, version: int | None) -> None:
    """Take the next version; 412 when the row is not at `version`, where one is given."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    expected = rows if version is None else rows.filter(version=version)
    if not expected.update(version=F("version") + 1):
        row.refresh_from_db()
        raise Problem(
            412,
            "version-conflict",
            f"{row} is at version {row.version}, not {version}.",
            version=row.version,
        )
    row.version = rows.values_list("version", flat=True).get()
