"""What happens when the database is ready."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from incidents.models import Alertmanager
from incidents.upkeep.environment import follow_environment


@receiver(post_migrate, dispatch_uid="incidents.seed_alertmanager")
def seed_alertmanager(sender: AppConfig, using: str, **kwargs: Any) -> None:
    if sender.name == "incidents" and Alertmanager._meta.db_table in _tables(using):
        follow_environment()


def _tables(using: str) -> list[str]:
    with connections[using].cursor() as cursor:
        return connections[using].introspection.table_names(cursor)
