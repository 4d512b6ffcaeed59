"""Pages of incidents, the catalogue and the lab; included at the root."""

from django.urls import path

from incidents import catalogue_pages, lab_pages, pages

urlpatterns = [
    path("", pages.board, name="board"),
    path("incidents/new", pages.new_incident, name="incident-new"),
    path("incidents/<str:reference>", pages.incident, name="incident"),
    path("incidents/<uuid:incident_id>/live", pages.poll, name="incident-live"),
    *[
        path(
            f"incidents/<uuid:incident_id>/{name}",
            pages.act,
            {"name": name},
            name=f"incident-{name}",
        )
        for name in pages.ACTS
    ],
    path("services", catalogue_pages.services, name="services"),
    path("services/<str:slug>", catalogue_pages.service, name="service"),
    path("lab", lab_pages.show, name="lab"),
    path("lab/stop", lab_pages.stop_all, name="lab-stop-all"),
    path("lab/fail", lab_pages.fail, name="lab-fail"),
    path("lab/faults/<str:fault_id>/start", lab_pages.start, name="lab-start"),
    path("lab/faults/<str:fault_id>/stop", lab_pages.stop, name="lab-stop"),
]
