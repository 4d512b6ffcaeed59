"""Included at the root."""

from django.urls import path

from timeline import pages

urlpatterns = [
    path("incidents/<uuid:incident_id>/notes", pages.add_note, name="incident-notes"),
]
