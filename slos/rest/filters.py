"""Filters of the list of SLOs."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet

from incidents.any_of import AnyOfFilter
from slos.models import SLO
from slos.rest.shapes import QUALITIES, STATUSES


class SLOFilter(django_filters.FilterSet):
    service = django_filters.CharFilter(field_name="service__slug")
    environment = django_filters.CharFilter(field_name="service__environment")
    status = AnyOfFilter(choices=STATUSES)
    quality = AnyOfFilter(choices=QUALITIES)
    enabled = django_filters.BooleanFilter()
    q = django_filters.CharFilter(method="search")

    class Meta:
        model = SLO
        fields: list[str] = []

    def search(self, queryset: QuerySet[SLO], name: str, value: str) -> QuerySet[SLO]:
        """Words of its name, its display name, its description, or its service."""
        return queryset.filter(
            Q(name__icontains=value)
            | Q(display_name__icontains=value)
            | Q(description__icontains=value)
            | Q(service__slug__icontains=value)
        )
