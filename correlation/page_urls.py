"""Pages of analyses and data sources; included at the root."""

from django.urls import path

from correlation import pages, source_pages, verdict_pages
from correlation.doctor.page import doctor

urlpatterns = [
    path("incidents/<uuid:incident_id>/analyse", pages.analyse, name="incident-analyse"),
    path("incidents/<uuid:incident_id>/verdict", verdict_pages.judge, name="incident-verdict"),
    path("datasources", source_pages.data_sources, name="datasources"),
    path("datasources/<slug:slug>", source_pages.data_source, name="datasource"),
    path("datasources/<slug:slug>/check", source_pages.check, name="datasource-check"),
    path("datasources/<slug:slug>/doctor", doctor, name="datasource-doctor"),
]
