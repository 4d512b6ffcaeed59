"""Included at the root."""

from django.urls import path

from timeline import pages, replay
from timeline.reporting import pages as report_pages

urlpatterns = [
    path("incidents/<str:reference>/replay", replay.replay, name="incident-replay"),
    path("incidents/<uuid:incident_id>/notes", pages.add_note, name="incident-notes"),
    path("incidents/<str:reference>/report", report_pages.report, name="incident-report"),
    path(
        "incidents/<str:reference>/report/state", report_pages.state, name="incident-report-state"
    ),
    path(
        "incidents/<str:reference>/report/write", report_pages.write, name="incident-report-write"
    ),
]
