"""Included at the root."""

from django.urls import path

from timeline import acts, pages, replay, whole_page
from timeline.images import pages as image_pages
from timeline.postmortems import pages as postmortem_pages
from timeline.reporting import pages as report_pages

EVENT = "incidents/<uuid:incident_id>/events/<int:seq>"

urlpatterns = [
    path("incidents/<str:reference>/replay", replay.replay, name="incident-replay"),
    path("incidents/<str:reference>/timeline", whole_page.whole, name="incident-timeline-page"),
    path("incidents/<str:reference>/timeline/verify", pages.check, name="incident-timeline-check"),
    path("incidents/<str:reference>/events/<int:seq>", pages.event, name="incident-event"),
    path("incidents/<uuid:incident_id>/notes", acts.note, name="incident-notes"),
    path(f"{EVENT}/correction", acts.correct, name="incident-event-correct"),
    path(f"{EVENT}/link", acts.link_event, name="incident-event-link"),
    path(f"{EVENT}/pin", acts.pin, name="incident-event-pin"),
    path(f"{EVENT}/unpin", acts.unpin, name="incident-event-unpin"),
    path(
        "incidents/<uuid:incident_id>/images/<uuid:image_id>",
        image_pages.image,
        name="incident-image",
    ),
    path("incidents/<str:reference>/report", report_pages.report, name="incident-report"),
    path(
        "incidents/<str:reference>/report/state", report_pages.state, name="incident-report-state"
    ),
    path(
        "incidents/<str:reference>/report/write", report_pages.write, name="incident-report-write"
    ),
    path("postmortems", postmortem_pages.postmortems, name="postmortems"),
    path(
        "incidents/<str:reference>/postmortem",
        postmortem_pages.postmortem,
        name="incident-postmortem",
    ),
    *[
        path(
            f"incidents/<str:reference>/postmortem/{name}",
            postmortem_pages.act,
            {"name": name},
            name=f"incident-postmortem-{name}-page",
        )
        for name in postmortem_pages.ACTS
    ],
]
