"""Housekeeping of logins and of the audit."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.audit.chaining import chain_drafts
from accounts.models import RefreshFamily


@shared_task
def chain_audit() -> int:
    """Chains what a process that died between commit and chaining has left."""
    return chain_drafts()


@shared_task
def prune_logins() -> int:
    """Deletes expired refresh tokens and families, which could not be used any more anyway."""
    now = timezone.now()
    OutstandingToken.objects.filter(expires_at__lt=now).delete()
    return RefreshFamily.objects.filter(expires_at__lt=now).delete()[0]
