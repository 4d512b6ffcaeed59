"""Pages of what happens to alerts over time, below /alerts/."""

from django.urls import path

from incidents.upkeep import pages

urlpatterns = [
    path("maintenance", pages.maintenance_windows, name="maintenance-windows"),
    path("maintenance/new", pages.new_window, name="maintenance-new"),
    path("maintenance/<uuid:window_id>", pages.edit_window, name="maintenance-edit"),
    path("maintenance/<uuid:window_id>/cancel", pages.cancel_window, name="maintenance-cancel"),
    path("maintenance/<uuid:window_id>/extend", pages.extend_window, name="maintenance-extend"),
    path("heartbeats", pages.heartbeats_page, name="heartbeats"),
    path("heartbeats/<uuid:heartbeat_id>/switch", pages.switch_heartbeat, name="heartbeat-switch"),
    path("alertmanagers", pages.alertmanagers, name="alertmanagers"),
    path(
        "alertmanagers/<uuid:alertmanager_id>/read",
        pages.read_alertmanager,
        name="alertmanager-read",
    ),
]
