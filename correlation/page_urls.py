"""Pages of analyses and data sources; included at the root."""

from django.urls import path

from correlation import pages
from correlation.data_sources import pages as source_pages
from correlation.doctor.page import doctor
from correlation.memory import verdict_pages
from correlation.rules import pages as rule_pages

urlpatterns = [
    path("incidents/<uuid:incident_id>/analyse", pages.analyse, name="incident-analyse"),
    path("incidents/<uuid:incident_id>/verdict", verdict_pages.judge, name="incident-verdict"),
    path("rules", rule_pages.rules, name="rules"),
    path("rules/new", rule_pages.new, name="rule-new"),
    path("rules/dry-run", rule_pages.dry_run, name="rule-dry-run"),
    path("rules/<slug:name>", rule_pages.rule, name="rule"),
    path("rules/<slug:name>/edit", rule_pages.edit, name="rule-edit"),
    path("rules/<slug:name>/switch", rule_pages.switch, name="rule-switch"),
    path("rules/<slug:name>/remove", rule_pages.remove, name="rule-remove"),
    path("datasources", source_pages.data_sources, name="datasources"),
    path("datasources/<slug:slug>", source_pages.data_source, name="datasource"),
    path("datasources/<slug:slug>/check", source_pages.check, name="datasource-check"),
    path("datasources/<slug:slug>/doctor", doctor, name="datasource-doctor"),
]
