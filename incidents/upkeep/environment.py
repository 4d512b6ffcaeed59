"""The Alertmanager that ALERTMANAGER_URL names, as a row of the source `alertmanager`."""

from __future__ import annotations

from django.conf import settings

from incidents.intake import alerts
from incidents.models import Alertmanager
from incidents.outbound.fields import without_login

SOURCE = "alertmanager"


def follow_environment() -> None:
    """Bring the row of origin `environment` in line with the settings; people's rows stay.

    What the environment does not say of it (whether it is enabled) is people's and stays too.
    """
    rows = Alertmanager.objects.filter(origin=Alertmanager.Origin.ENVIRONMENT)
    if not settings.ALERTMANAGER_URL:
        rows.delete()
        return
    columns = {**settings.ALERTMANAGER_FIELDS, "url": without_login(settings.ALERTMANAGER_URL)}
    row = rows.first()
    if row is None:
        source = alerts.source_of(SOURCE, "alertmanager")
        if Alertmanager.objects.filter(source=source, url=columns["url"]).exists():
            return  # a person was faster
        Alertmanager.objects.create(
            source=source, origin=Alertmanager.Origin.ENVIRONMENT, **columns
        )
    elif any(getattr(row, name) != value for name, value in columns.items()):
        rows.filter(pk=row.pk).update(**columns)
