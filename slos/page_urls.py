"""Pages of SLOs; included at the root."""

from django.urls import path

from slos.pages import acts, editing, importing, one, overview

urlpatterns = [
    path("slos", overview.overview, name="slos"),
    path("slos/new", editing.new, name="slo-new"),
    path("slos/check", editing.check, name="slo-check"),
    path("slos/policies", editing.policies, name="slo-policies"),
    path("slos/import", importing.importing, name="slo-import"),
    path("slos/<slug:name>", one.slo, name="slo"),
    path("slos/<slug:name>/edit", editing.edit, name="slo-edit"),
    path("slos/<slug:name>/switch", acts.switch, name="slo-switch"),
    path("slos/<slug:name>/corrections", acts.correct, name="slo-corrections"),
    path(
        "slos/<slug:name>/corrections/<uuid:correction>/withdraw",
        acts.withdraw,
        name="slo-correction-withdraw",
    ),
]
