"""Included at api/."""

from django.urls import path

from timeline import api
from timeline.reporting import api as report_api

urlpatterns = [
    path("incidents/<str:reference>/timeline", api.Timeline.as_view(), name="incident-timeline"),
    path(
        "incidents/<str:reference>/timeline/<int:seq>/pin",
        api.EventPin.as_view(),
        name="incident-timeline-pin",
    ),
    path(
        "incidents/<str:reference>/timeline/<int:seq>/links",
        api.EventLinks.as_view(),
        name="incident-timeline-links",
    ),
    path(
        "incidents/<uuid:incident_id>/images/<uuid:image_id>",
        api.EventImage.as_view(),
        name="incident-timeline-image",
    ),
    path(
        "incidents/<str:reference>/timeline/verify",
        api.TimelineVerification.as_view(),
        name="incident-timeline-verify",
    ),
    path(
        "incidents/<str:reference>/report.json",
        report_api.ReportJson.as_view(),
        name="incident-report-json",
    ),
    path(
        "incidents/<str:reference>/report.md",
        report_api.ReportMarkdown.as_view(),
        name="incident-report-markdown",
    ),
    path(
        "incidents/<str:reference>/reports",
        report_api.Reports.as_view(),
        name="incident-reports",
    ),
]
