"""Housekeeping of logins."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import RefreshFamily


@shared_task
def prune_logins() -> int:
    """Deletes expired refresh tokens and families, which could not be used any more anyway."""
    now = timezone.now()
    OutstandingToken.objects.filter(expires_at__lt=now).delete()
    return RefreshFamily.objects.filter(expires_at__lt=now).delete()[0]
