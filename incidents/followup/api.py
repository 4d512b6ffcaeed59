"""REST: tasks of one incident, and of all."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from incidents.any_of import AnyOfFilter
from incidents.api import actor_of, expected_version, incident_of
from incidents.followup import work
from incidents.followup.listing import UNFINISHED
from incidents.followup.serializers import TaskSerializer
from incidents.models import IncidentTask
from incidents.refusals import refusals

ROWS = IncidentTask.objects.select_related("incident", "owner", "created_by")


class IncidentTaskViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[IncidentTask]
):
    """Follow-up work of one incident; `If-Match` names the version of the task."""

    serializer_class = TaskSerializer
    queryset = ROWS

    def get_queryset(self) -> QuerySet[IncidentTask]:
        if getattr(self, "swagger_fake_view", False):
            return ROWS
        return ROWS.filter(incident=incident_of(self.kwargs["reference"]))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._answer(self.get_object())

    def create(self, request: Request, reference: str) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refusals():
            task = work.add_task(
                incident_id=incident_of(reference).pk,
                actor=actor_of(request),
                **body.validated_data,
            )
        return self._answer(task, 201)

    @extend_schema(request=TaskSerializer)
    def partial_update(self, request: Request, reference: str, pk: str) -> Response:
        """Edit it or move it on: done and dropped tasks stay, and can be taken up again."""
        body = self.get_serializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        with refusals():
            task = work.edit_task(
                task_id=self.get_object().pk,
                actor=actor_of(request),
                changes=body.validated_data,
                version=expected_version(request),
            )
        return self._answer(task)

    def _answer(self, task: IncidentTask, status: int = 200) -> Response:
        headers = {"ETag": f'"{task.version}"'}
        return Response(self.get_serializer(task).data, status=status, headers=headers)


class TaskFilter(django_filters.FilterSet):
    state = AnyOfFilter(choices=IncidentTask.State.choices)
    owner = django_filters.CharFilter(method="of_owner", help_text="A username, `me`, or `nobody`.")
    unfinished = django_filters.BooleanFilter(method="only_unfinished")
    due_before = django_filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lt")

    class Meta:
        model = IncidentTask
        fields: list[str] = []

    def of_owner(
        self, queryset: QuerySet[IncidentTask], name: str, value: str
    ) -> QuerySet[IncidentTask]:
        if value == "nobody":
            return queryset.filter(owner=None)
        if value == "me":
            person = getattr(self.request, "user", None)
            return queryset.filter(owner=person if isinstance(person, User) else None).exclude(
                owner=None
            )
        return queryset.filter(owner__username=value)

    def only_unfinished(
        self, queryset: QuerySet[IncidentTask], name: str, value: bool
    ) -> QuerySet[IncidentTask]:
        finished = queryset.exclude(state__in=UNFINISHED)
        return queryset.filter(state__in=UNFINISHED) if value else finished


class TaskViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[IncidentTask]
):
    """Tasks of all incidents."""

    serializer_class = TaskSerializer
    queryset = ROWS
    filterset_class = TaskFilter
