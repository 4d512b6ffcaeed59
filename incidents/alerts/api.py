"""REST API of alerts, the sources they come from and the deliveries they came in."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role
from accounts.problems import Problem
from incidents.alerts import listing as alert_listing
from incidents.alerts import sources
from incidents.alerts.serializers import (
    AlertSerializer,
    AlertSourceSerializer,
    DeliverySerializer,
    IssuedSourceSerializer,
    RotateSerializer,
    WholeDeliverySerializer,
)
from incidents.filters import AlertFilter, DeliveryFilter
from incidents.intake import replay
from incidents.models import Alert, AlertSource, Delivery

NO_STORE = {"Cache-Control": "no-store"}


class AlertViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Alert]
):
    """Series of alerts, each with its newest occurrence; newest series first."""

    queryset = Alert.objects.select_related("source")
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    lookup_value_converter = "uuid"
    paging_order = ("-first_seen_at", "-id")

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        page = super().paginate_queryset(queryset)
        return alert_listing.with_newest_occurrence(page) if page is not None else None

    def get_object(self) -> Alert:
        return alert_listing.with_newest_occurrence([super().get_object()])[0]


class AlertSourceViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet[AlertSource],
):
    """Who may deliver, and with which token; `{source}` is the slug."""

    queryset = AlertSource.objects.all()
    serializer_class = AlertSourceSerializer
    filterset_fields = ["kind", "environment"]
    lookup_field = "slug"
    lookup_url_kwarg = "source"
    http_method_names = ["get", "post", "patch", "head", "options"]
    required_roles = {
        "create": Role.ADMIN,
        "partial_update": Role.ADMIN,
        "rotate": Role.ADMIN,
        "revoke": Role.ADMIN,
    }

    def get_queryset(self) -> QuerySet[AlertSource]:
        return sources.listed()

    @extend_schema(request=AlertSourceSerializer, responses={201: IssuedSourceSerializer})
    def create(self, request: Request) -> Response:
        """The answer's `token` is the plain text, shown this once."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        made, plain = sources.create(**body.validated_data)
        return self._issued(made, plain, status.HTTP_201_CREATED)

    @extend_schema(request=RotateSerializer, responses={200: IssuedSourceSerializer})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, **kwargs: Any) -> Response:
        """A new token, shown this once; the old ones end now, or after `keep_seconds`."""
        source = self.get_object()
        body = RotateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        plain = sources.rotate(source, keep_seconds=body.validated_data["keep_seconds"])
        return self._issued(source, plain, status.HTTP_200_OK)

    @extend_schema(request=None, responses={200: AlertSourceSerializer})
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        """End the source's tokens at once; its alerts stay."""
        source = self.get_object()
        sources.revoke(source)
        return Response(AlertSourceSerializer(self.get_queryset().get(pk=source.pk)).data)

    def _issued(self, source: AlertSource, plain: str, code: int) -> Response:
        shown = AlertSourceSerializer(self.get_queryset().get(pk=source.pk)).data
        return Response({**shown, "token": plain}, status=code, headers=NO_STORE)


@extend_schema_view(retrieve=extend_schema(responses={200: WholeDeliverySerializer}))
class DeliveryViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Delivery]
):
    """What came in, newest first; one by itself has its body."""

    queryset = Delivery.objects.select_related("source")
    filterset_class = DeliveryFilter
    lookup_value_converter = "uuid"
    paging_order = ("-received_at", "-id")

    def get_queryset(self) -> QuerySet[Delivery]:
        found = super().get_queryset()
        return found.defer("body") if self.action == "list" else found

    def get_serializer_class(self) -> type[DeliverySerializer]:
        return WholeDeliverySerializer if self.action == "retrieve" else DeliverySerializer

    @extend_schema(request=None, responses={200: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, **kwargs: Any) -> Response:
        """Take the delivery once more; 409 `delivery-waiting` while it waits to be grouped."""
        try:
            taken = replay.replay(self.get_object().pk)
        except replay.InHand as error:
            raise Problem(409, "delivery-waiting", str(error)) from error
        except ValueError as error:
            raise Problem(409, "delivery-unreadable", str(error)) from error
        return Response(DeliverySerializer(taken).data)
