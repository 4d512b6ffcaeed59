"""Pages of incidents, the catalogue and the lab; included at the root."""

from django.urls import include, path

from incidents import lab_pages, pages
from incidents.acts import pages as act_pages
from incidents.alert_rules import alert_panel
from incidents.alerts import pages as alert_pages
from incidents.catalogue import pages as catalogue_pages
from incidents.followup import pages as followup_pages
from incidents.merges import pages as merge_pages
from incidents.stats.pages import stats

urlpatterns = [
    path("", pages.board, name="board"),
    path("incidents/new", pages.new_incident, name="incident-new"),
    path("incidents/<str:reference>", pages.incident, name="incident"),
    path("incidents/<str:reference>/merge", merge_pages.merge, name="incident-merge-page"),
    path("incidents/<uuid:incident_id>/unmerge", merge_pages.undo, name="incident-unmerge-page"),
    *[
        path(
            f"incidents/<uuid:incident_id>/proposals/<uuid:proposal_id>/{name}",
            merge_pages.decide,
            {"name": name},
            name=f"incident-proposal-{name}",
        )
        for name in ("accept", "dismiss")
    ],
    path("incidents/<uuid:incident_id>/live", pages.poll, name="incident-live"),
    *[
        path(
            f"incidents/<uuid:incident_id>/{name}",
            pages.act,
            {"name": name},
            name=f"incident-{name}-page",
        )
        for name in pages.ACTS
    ],
    path(
        "incidents/<uuid:incident_id>/service",
        alert_panel.link_service,
        name="incident-link-service",
    ),
    path("stats", stats, name="stats"),
    *[
        path(
            f"incidents/<uuid:incident_id>/acts/{name}",
            act_pages.dialog,
            {"name": name},
            name="incident-act",
        )
        for name in act_pages.ACTS
    ],
    path(
        "incidents/<uuid:incident_id>/command", act_pages.take_command, name="incident-take-command"
    ),
    path(
        "incidents/<uuid:incident_id>/roles/<uuid:role_id>/end",
        act_pages.end_role,
        name="incident-end-role",
    ),
    path("incidents/<uuid:incident_id>/tasks/new", followup_pages.new, name="incident-task-new"),
    path("tasks", followup_pages.tasks, name="tasks"),
    path("tasks/<uuid:task_id>/edit", followup_pages.edit, name="task-edit"),
    *[
        path(f"tasks/<uuid:task_id>/{to}", followup_pages.state, {"to": to}, name="task-state")
        for to in followup_pages.STATES
    ],
    path("services", catalogue_pages.services, name="services"),
    path("services/<str:slug>", catalogue_pages.service, name="service"),
    path("alerts", alert_pages.alerts, name="alerts"),
    path("alerts/sources", alert_pages.alert_sources, name="alert-sources"),
    path("alerts/sources/<slug:slug>", alert_pages.alert_source, name="alert-source"),
    path(
        "alerts/sources/<slug:slug>/rotate",
        alert_pages.rotate_source,
        name="alert-source-rotate-page",
    ),
    path(
        "alerts/sources/<slug:slug>/revoke",
        alert_pages.revoke_source,
        name="alert-source-revoke-page",
    ),
    path("alerts/deliveries", alert_pages.deliveries, name="deliveries"),
    path("alerts/deliveries/<uuid:delivery_id>", alert_pages.delivery, name="delivery"),
    path(
        "alerts/deliveries/<uuid:delivery_id>/replay",
        alert_pages.replay_delivery,
        name="delivery-replay-page",
    ),
    path("alerts/", include("incidents.alert_rules.page_urls")),
    path("alerts/", include("incidents.upkeep.page_urls")),
    path("notifications", include("incidents.notify.page_urls")),
    path("lab", lab_pages.show, name="lab"),
    path("lab/stop", lab_pages.stop_all, name="lab-stop-all"),
    path("lab/fail", lab_pages.fail, name="lab-fail"),
    path("lab/faults/<str:fault_id>/start", lab_pages.start, name="lab-start"),
    path("lab/faults/<str:fault_id>/stop", lab_pages.stop, name="lab-stop"),
]
