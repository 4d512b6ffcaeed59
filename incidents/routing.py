"""Websocket addresses."""

from django.urls import path

from incidents.consumers import BoardConsumer, IncidentConsumer

websocket_urlpatterns = [
    path("ws/board", BoardConsumer.as_asgi()),
    path("ws/incidents/<uuid:incident_id>", IncidentConsumer.as_asgi()),
]
