"""Filters of the lists, by query string; an unknown value is a 400 that names it."""

from __future__ import annotations

from decimal import Decimal

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from rest_framework.exceptions import ValidationError

from incidents.any_of import AnyOfFilter
from incidents.by_service import alerts_of, incidents_of
from incidents.merges.survivors import survivor_of
from incidents.models import (
    Alert,
    AlertOccurrence,
    ChangeEvent,
    Delivery,
    Incident,
    Service,
    Severity,
    Status,
)
from incidents.models.incident import reference_query
from incidents.text_search import incidents_with

IMPACT_KEYS = {
    "slos_breached": "slos_breached",
    "users_affected_min": "users_affected",
    "revenue_at_risk_min": "revenue_at_risk_per_hour",
}


class IncidentFilter(django_filters.FilterSet):
    status = AnyOfFilter(choices=Status.choices)
    severity = AnyOfFilter(choices=Severity.choices)
    service = django_filters.CharFilter(method="of_service")
    environment = django_filters.CharFilter()
    open = django_filters.BooleanFilter(method="only_open")
    started_after = django_filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="gte")
    started_before = django_filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="lt")
    archived = django_filters.BooleanFilter(
        field_name="archived_at", lookup_expr="isnull", exclude=True
    )
    slos_breached = django_filters.NumberFilter(method="at_least", label="At least so many.")
    users_affected_min = django_filters.NumberFilter(method="at_least")
    revenue_at_risk_min = django_filters.NumberFilter(method="at_least", label="Per hour.")
    q = django_filters.CharFilter(method="search")

    class Meta:
        model = Incident
        fields = ["source", "closed_as"]

    def at_least(
        self, queryset: QuerySet[Incident], name: str, value: Decimal
    ) -> QuerySet[Incident]:
        """By the summary of its impact; what is unknown is left out."""
        key = IMPACT_KEYS[name]
        number = float(value)
        return queryset.filter(**{f"business_impact__{key}__gte": number})

    def of_service(self, queryset: QuerySet[Incident], name: str, value: str) -> QuerySet[Incident]:
        return queryset.filter(incidents_of(value))

    def only_open(self, queryset: QuerySet[Incident], name: str, value: bool) -> QuerySet[Incident]:
        return (
            queryset.exclude(status=Status.RESOLVED)
            if value
            else queryset.filter(status=Status.RESOLVED)
        )

    def search(self, queryset: QuerySet[Incident], name: str, value: str) -> QuerySet[Incident]:
        return queryset.filter(incidents_with(value))


class ServiceFilter(django_filters.FilterSet):
    class Meta:
        model = Service
        fields = ["slug", "environment", "team", "tier", "role", "namespace"]


class ChangeFilter(django_filters.FilterSet):
    service = django_filters.CharFilter(field_name="service__slug")
    after = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    before = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = ChangeEvent
        fields = ["kind", "source"]


class AlertFilter(django_filters.FilterSet):
    source = django_filters.CharFilter(field_name="source__slug")
    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains")
    service = django_filters.CharFilter(method="of_service")
    incident = django_filters.CharFilter(method="of_incident", help_text="id or INC-number")
    firing = django_filters.BooleanFilter(method="only_firing")

    class Meta:
        model = Alert
        fields = ["name"]

    def of_service(self, queryset: QuerySet[Alert], name: str, value: str) -> QuerySet[Alert]:
        return queryset.filter(alerts_of(value))

    def of_incident(self, queryset: QuerySet[Alert], name: str, value: str) -> QuerySet[Alert]:
        """What fired for it; for one that was merged, for the incident it is in now."""
        try:
            incident = Incident.objects.filter(reference_query(value)).first()
        except ValueError as error:
            raise ValidationError({"incident": ["Give an id or an INC-number."]}) from error
        if incident is None:
            return queryset.none()
        fired = AlertOccurrence.objects.filter(alert=OuterRef("pk"), incident=survivor_of(incident))
        return queryset.filter(Exists(fired))

    def only_firing(self, queryset: QuerySet[Alert], name: str, value: bool) -> QuerySet[Alert]:
        """By the open occurrences, which an index finds; `Alert.firing` has none."""
        open_now = AlertOccurrence.objects.filter(alert=OuterRef("pk"), resolved_at=None)
        return queryset.filter(Exists(open_now) if value else ~Exists(open_now))


class DeliveryFilter(django_filters.FilterSet):
    source = django_filters.CharFilter(field_name="source__slug")
    state = AnyOfFilter(choices=Delivery.State.choices)
    after = django_filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="gte")
    before = django_filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields = ["kind"]
