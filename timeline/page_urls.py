"""Included at the root."""

from django.urls import path

from timeline import pages, replay

urlpatterns = [
    path("incidents/<str:reference>/replay", replay.replay, name="incident-replay"),
    path("incidents/<uuid:incident_id>/notes", pages.add_note, name="incident-notes"),
]
