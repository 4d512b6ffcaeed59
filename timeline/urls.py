"""Included at api/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from timeline import api
from timeline.postmortems import api as postmortem_api
from timeline.reporting import api as report_api

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("postmortems", postmortem_api.PostmortemViewSet, basename="postmortem")

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
    path(
        "incidents/<str:reference>/postmortem",
        postmortem_api.PostmortemView.as_view(),
        name="incident-postmortem-api",
    ),
    path(
        "incidents/<str:reference>/postmortem.md",
        postmortem_api.PostmortemMarkdown.as_view(),
        name="incident-postmortem-markdown",
    ),
    path(
        "incidents/<str:reference>/postmortem/actions",
        postmortem_api.PostmortemActions.as_view(),
        name="incident-postmortem-actions",
    ),
    path(
        "incidents/<str:reference>/postmortem/actions/<uuid:action_id>/<slug:act>",
        postmortem_api.PostmortemActionView.as_view(),
        name="incident-postmortem-action",
    ),
    path(
        "incidents/<str:reference>/postmortem/<slug:step>",
        postmortem_api.PostmortemStepView.as_view(),
        name="incident-postmortem-step",
    ),
    path("", include(router.urls)),
]
