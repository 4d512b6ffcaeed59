"""Sources of alerts and the tokens that speak for them. A token's text is shown once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts import audit
from accounts.models import ApiToken, Scope
from incidents.intake.received import DEFAULT_IGNORED_LABELS
from incidents.models import AlertSource, Delivery, SourceToken


def create(
    *,
    slug: str,
    kind: str = AlertSource.Kind.ALERTMANAGER,
    environment: str = "production",
    ignored_labels: list[str] | None = None,
    repeat_interval_seconds: float | None = None,
    flap_changes: int | None = None,
    flap_window_seconds: float | None = None,
) -> tuple[AlertSource, str]:
    """A new source and the text of its token."""
    labels = DEFAULT_IGNORED_LABELS if ignored_labels is None else ignored_labels
    with transaction.atomic():
        source = AlertSource.objects.create(
            slug=slug,
            kind=kind,
            environment=environment,
            ignored_labels=list(labels),
            repeat_interval_seconds=repeat_interval_seconds,
            flap_changes=flap_changes,
            flap_window_seconds=flap_window_seconds,
        )
        return source, _issue(source)


def rotate(source: AlertSource, *, keep_seconds: float = 0.0) -> str:
    """The text of a new token; the source's others end after `keep_seconds`."""
    with transaction.atomic():
        revoke(source, at=timezone.now() + timedelta(seconds=keep_seconds))
        return _issue(source)


def revoke(source: AlertSource, *, at: datetime | None = None) -> int:
    """End the source's tokens, now or `at` a later time; how many there were to end."""
    now = timezone.now()
    valid = ApiToken.objects.filter(alert_source_token__source=source, revoked_at=None)
    if at is None or at <= now:
        ended, end = valid.update(revoked_at=now), now
    else:
        sooner = Q(expires_at=None) | Q(expires_at__gt=at)
        ended, end = valid.filter(sooner).update(expires_at=at), at
    if ended:
        audit.record("alert_source.tokens_ended", source, None, {"tokens": ended, "at": end})
    return ended


def listed() -> QuerySet[AlertSource]:
    """Those that send from outside, with `delivered_at`, `used_at`, and `token_prefix` of the
    newest valid token."""
    now = timezone.now()
    newest = Delivery.objects.filter(source=OuterRef("pk")).order_by("-received_at", "-id")
    valid = (
        ApiToken.objects.filter(alert_source_token__source=OuterRef("pk"), revoked_at=None)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .order_by("-created_at", "-id")
    )
    return AlertSource.objects.exclude(kind=AlertSource.Kind.INTERNAL).annotate(
        delivered_at=Subquery(newest.values("received_at")[:1]),
        token_prefix=Subquery(valid.values("prefix")[:1]),
        used_at=Max("source_tokens__token__last_used_at"),
    )


def _issue(source: AlertSource) -> str:
    token, plain = ApiToken.issue(name=f"source {source.slug}", scopes=[Scope.INTAKE])
    SourceToken.objects.create(token=token, source=source)
    return plain
