"""Included at api/."""

from django.urls import path

from timeline import api

urlpatterns = [
    path("incidents/<str:reference>/timeline", api.Timeline.as_view(), name="incident-timeline"),
    path(
        "incidents/<str:reference>/timeline/verify",
        api.TimelineVerification.as_view(),
        name="incident-timeline-verify",
    ),
]
