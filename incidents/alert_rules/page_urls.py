"""Pages of grouping rules and maps, below /alerts/."""

from django.urls import path

from incidents.alert_rules import pages, reading_pages

urlpatterns = [
    path("rules", pages.rules, name="grouping-rules"),
    path("rules/new", pages.new, name="grouping-rule-new"),
    path("rules/test", pages.trial, name="grouping-trial"),
    path("rules/<uuid:rule_id>", pages.edit, name="grouping-rule"),
    path("rules/<uuid:rule_id>/switch", pages.switch, name="grouping-rule-switch"),
    path("rules/<uuid:rule_id>/move", pages.move, name="grouping-rule-move"),
    path("rules/<uuid:rule_id>/remove", pages.remove, name="grouping-rule-remove"),
    path("reading", reading_pages.reading, name="alert-reading"),
    path("reading/save", reading_pages.save_reading, name="alert-reading-save"),
]
