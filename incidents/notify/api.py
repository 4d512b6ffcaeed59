"""REST API of channels, rules and what was sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role
from accounts.problems import Problem
from incidents.alert_rules import edits
from incidents.api import expected_version
from incidents.models import (
    NotificationChannel,
    NotificationDelivery,
    NotificationRule,
    NotificationState,
)
from incidents.models.incident import reference_query
from incidents.notify import acts
from incidents.notify.events import EVENT_CHOICES
from incidents.notify.serializers import (
    ChannelSerializer,
    ChannelTestSerializer,
    NotificationDeliverySerializer,
    NotificationRuleSerializer,
    NotificationTrialRequestSerializer,
    NotificationTrialSerializer,
    WholeNotificationDeliverySerializer,
)
from incidents.notify.trial import try_out

METHODS = ["get", "post", "patch", "delete", "head", "options"]
ADMINS = {"create": Role.ADMIN, "partial_update": Role.ADMIN, "destroy": Role.ADMIN}


class NotificationFilter(django_filters.FilterSet):
    channel = django_filters.CharFilter(field_name="channel__name")
    incident = django_filters.CharFilter(method="of_incident")
    state = django_filters.ChoiceFilter(choices=NotificationState.choices)
    event = django_filters.ChoiceFilter(choices=EVENT_CHOICES)

    class Meta:
        model = NotificationDelivery
        fields: list[str] = []

    def of_incident(
        self, rows: QuerySet[NotificationDelivery], name: str, value: str
    ) -> QuerySet[NotificationDelivery]:
        try:
            return rows.filter(reference_query(value, "incident"))
        except ValueError:
            return rows.none()


def with_etag(answer: Any) -> Any:
    version = answer.data.get("version") if isinstance(answer.data, dict) else None
    if version is not None:
        answer["ETag"] = f'"{version}"'
    return answer


class ChannelViewSet(viewsets.ModelViewSet[NotificationChannel]):
    """Where notifications go. PATCH and DELETE heed If-Match: 412 when somebody was faster.

    A deleted channel takes what waits for it along, given up; what was sent stays on record.
    """

    queryset = NotificationChannel.objects.kept()
    serializer_class = ChannelSerializer
    filterset_fields = ["kind", "enabled"]
    lookup_value_converter = "uuid"
    paging_order = ("name", "id")
    http_method_names = METHODS
    required_roles = {**ADMINS, "test": Role.ADMIN}

    def perform_update(self, serializer: Any) -> None:
        was = serializer.instance.enabled
        edits.save(serializer, expected_version(self.request))
        if was and not serializer.instance.enabled:
            acts.let_go(serializer.instance)
            serializer.instance.refresh_from_db()

    def perform_destroy(self, instance: NotificationChannel) -> None:
        edits.claim_version(instance, expected_version(self.request))
        acts.remove(instance)

    def finalize_response(self, request: Request, response: Any, *args: Any, **more: Any) -> Any:
        return with_etag(super().finalize_response(request, response, *args, **more))

    @extend_schema(request=None, responses=ChannelTestSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: UUID) -> Response:
        """Send a test message now; the answer says how it went, whether it arrived or not."""
        return Response(ChannelTestSerializer(acts.send_test(self.get_object())).data)


class NotificationRuleViewSet(viewsets.ModelViewSet[NotificationRule]):
    """Who is told of what. PATCH and DELETE heed If-Match: 412 when somebody was faster."""

    queryset = NotificationRule.objects.prefetch_related("services", "channels")
    serializer_class = NotificationRuleSerializer
    filterset_fields = ["enabled", "environment"]
    lookup_value_converter = "uuid"
    paging_order = ("name",)
    http_method_names = METHODS
    required_roles = {**ADMINS, "test": Role.VIEWER}

    def perform_update(self, serializer: Any) -> None:
        edits.save(serializer, expected_version(self.request))

    def perform_destroy(self, instance: NotificationRule) -> None:
        edits.remove(instance, expected_version(self.request))

    def finalize_response(self, request: Request, response: Any, *args: Any, **more: Any) -> Any:
        return with_etag(super().finalize_response(request, response, *args, **more))

    @extend_schema(
        request=NotificationTrialRequestSerializer,
        responses=NotificationTrialSerializer,
        filters=False,
    )
    @action(detail=False, methods=["post"])
    def test(self, request: Request) -> Response:
        """Which channels would be told of a change, and when; sends and writes nothing."""
        body = NotificationTrialRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = {"at": timezone.now(), **body.validated_data}
        return Response(NotificationTrialSerializer(try_out(**given)).data)


class NotificationDeliveryViewSet(
    mixins.ListModelMixin, viewsets.GenericViewSet[NotificationDelivery]
):
    """What was, is or will be sent; `{key}` is the idempotency key."""

    queryset = NotificationDelivery.objects.select_related("channel", "bundle")
    serializer_class = NotificationDeliverySerializer
    filterset_class = NotificationFilter
    lookup_field = "key"
    lookup_value_converter = "uuid"

    @extend_schema(responses=WholeNotificationDeliverySerializer)
    def retrieve(self, request: Request, key: UUID) -> Response:
        return Response(WholeNotificationDeliverySerializer(self._found(key)).data)

    @extend_schema(request=None, responses=WholeNotificationDeliverySerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, key: UUID) -> Response:
        """Send it again now under the same key; 409 for one that needs no retry."""
        try:
            row = acts.retry(self._found(key))
        except acts.CannotRetry as error:
            raise Problem(409, "cannot-retry", str(error)) from error
        return Response(WholeNotificationDeliverySerializer(row).data)

    def _found(self, key: UUID) -> NotificationDelivery:
        row = self.get_queryset().prefetch_related("tries").filter(key=key).first()
        if row is None:
            raise NotFound("There is no such notification.")
        return row
