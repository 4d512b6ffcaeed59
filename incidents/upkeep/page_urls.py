"""Pages of what happens to alerts over time, below /alerts/."""

from django.urls import path

from incidents.upkeep import alertmanager_pages, heartbeat_pages, pages

urlpatterns = [
    path("maintenance", pages.maintenance_windows, name="maintenance-windows"),
    path("maintenance/new", pages.new_window, name="maintenance-new"),
    path("maintenance/<uuid:window_id>", pages.edit_window, name="maintenance-edit"),
    path("maintenance/<uuid:window_id>/cancel", pages.cancel_window, name="maintenance-cancel"),
    path("maintenance/<uuid:window_id>/extend", pages.extend_window, name="maintenance-extend"),
    path("heartbeats", heartbeat_pages.heartbeats_page, name="heartbeats"),
    path("heartbeats/new", heartbeat_pages.new, name="heartbeat-new"),
    path("heartbeats/<uuid:heartbeat_id>", heartbeat_pages.edit, name="heartbeat-edit"),
    path("heartbeats/<uuid:heartbeat_id>/switch", heartbeat_pages.switch, name="heartbeat-switch"),
    path("heartbeats/<uuid:heartbeat_id>/remove", heartbeat_pages.remove, name="heartbeat-remove"),
    path("alertmanagers", alertmanager_pages.alertmanagers, name="alertmanagers"),
    path("alertmanagers/new", alertmanager_pages.new, name="alertmanager-new"),
    *[
        path(f"alertmanagers/<uuid:alertmanager_id>{tail}", page, name=f"alertmanager-{name}")
        for tail, page, name in (
            ("", alertmanager_pages.edit, "edit"),
            ("/remove", alertmanager_pages.remove, "remove"),
            ("/read", alertmanager_pages.read, "read"),
        )
    ],
]
