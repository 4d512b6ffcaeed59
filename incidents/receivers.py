"""What happens when the database is ready, and when somebody signs out."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out
from django.db import connections
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.http import HttpRequest

from incidents import broadcast, indexes
from incidents.models import Alertmanager
from incidents.upkeep.environment import follow_environment


@receiver(post_migrate, dispatch_uid="incidents.seed_alertmanager")
def seed_alertmanager(sender: AppConfig, using: str, **kwargs: Any) -> None:
    if sender.name == "incidents" and Alertmanager._meta.db_table in _tables(using):
        follow_environment()


@receiver(post_migrate, dispatch_uid="incidents.install_indexes")
def install_indexes(sender: AppConfig, using: str, **kwargs: Any) -> None:
    if sender.name == "incidents" and Alertmanager._meta.db_table in _tables(using):
        indexes.install(connections[using])


@receiver(user_logged_out, dispatch_uid="incidents.end_session")
def end_session(request: HttpRequest, **kwargs: Any) -> None:
    """Sent before the session is flushed: its key is still known."""
    if key := request.session.session_key:
        broadcast.end_session(key)


def _tables(using: str) -> list[str]:
    with connections[using].cursor() as cursor:
        return connections[using].introspection.table_names(cursor)
