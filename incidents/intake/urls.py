"""Where senders deliver, below /api/intake/; each address may end in the token."""

from django.urls import path

from incidents.intake import api as intake_api

VIEWS = (
    ("alertmanager", intake_api.alertmanager),
    ("grafana", intake_api.grafana),
    ("events", intake_api.pager_events),
    ("changes", intake_api.changes),
)
urlpatterns = [
    *[path(name, view, name=f"intake-{name}") for name, view in VIEWS],
    *[
        path(f"{name}/<str:token>", intake_api.addressed(view), name=f"intake-{name}-token")
        for name, view in VIEWS
    ],
]
