"""Included at the root."""

from django.urls import path

from correlation import pages

urlpatterns = [
    path("incidents/<uuid:incident_id>/analyse", pages.analyse, name="incident-analyse"),
]
