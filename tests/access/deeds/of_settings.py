"""Deeds at what is configured: alerts, notifications, services, sources of data, rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from correlation.models import CorrelationRule, DataSource
from incidents.alerts import sources
from incidents.intake import alerts, grouping
from incidents.intake.received import ReceivedAlert
from incidents.models import (
    Alertmanager,
    AlertReading,
    AlertSource,
    GroupingRule,
    Heartbeat,
    Incident,
    MaintenanceWindow,
    NotificationChannel,
    NotificationRule,
    ServiceDependency,
)
from tests.access.deeds.deed import Deed, Parts
from tests.access.deeds.of_incidents import service

URL = "https://receiver.example.com/in"
CONDITIONS = {"kind": "gremlins", "title": "{service}: gremlins", "any": [{"log": "gremlin"}]}
WINDOW = {"starts_at": "2030-07-01T02:00:00Z", "ends_at": "2030-07-01T03:00:00Z"}


def key(row: Any, **more: Any) -> Parts:
    return {"pk": row.pk, **more}


def source() -> AlertSource:
    return alerts.source_of("eu", "alertmanager")


def sender() -> Parts:
    return {"slug": source().slug, "source": source().slug}


def sender_with_token() -> Parts:
    made = source()
    sources.rotate(made)
    return {"slug": made.slug, "source": made.slug}


def alertmanager() -> Parts:
    made = Alertmanager.objects.create(source=source(), url="http://127.0.0.1:9")
    return key(made, alertmanager_id=made.pk)


def heartbeat() -> Parts:
    made = Heartbeat.objects.create(
        source=source(), name="watchdog", matchers=["alertname=Watchdog"], interval_seconds=60
    )
    return key(made, heartbeat_id=made.pk)


def window() -> Parts:
    now = timezone.now()
    made = MaintenanceWindow.objects.create(
        name="Upgrade",
        environment="production",
        matchers=["team=core"],
        starts_at=now - timedelta(minutes=5),
        ends_at=now + timedelta(hours=1),
    )
    return key(made, window_id=made.pk)


def grouping_rule() -> Parts:
    GroupingRule.objects.create(name="a", group_by=["@service"], priority=1)
    made = GroupingRule.objects.create(name="b", group_by=["@service"], priority=2)
    return key(made, rule_id=made.pk)


def reading() -> Parts:
    AlertReading.objects.create(scope="eu")
    return {**sender(), "scope": "eu"}


def channel() -> Parts:
    made = NotificationChannel.objects.create(
        name="mail", kind="email", recipients=["oncall@example.com"]
    )
    return key(made, channel_id=made.pk, channel=str(made.pk))


def unlinked() -> Parts:
    """An incident whose alerts name a service that nobody knows."""
    labels = {"alertname": "HighErrorRate", "service": "mystery"}
    received = ReceivedAlert(True, labels, {}, "mystery", "", timezone.now())
    alerts.store(source(), "{}", [received])
    grouping.run_waiting()
    return {"incident_id": Incident.objects.get().pk}


def notification_rule() -> Parts:
    parts = channel()
    made = NotificationRule.objects.create(name="all", events=["opened"])
    made.channels.set([parts["pk"]])
    return key(made, rule_id=made.pk)


def a_service() -> Parts:
    return key(service(), slug="checkout")


def dependency() -> Parts:
    made = ServiceDependency.objects.create(caller=service(), callee=service("cart"))
    return key(made)


def two_services() -> Parts:
    return {"caller": service().slug, "callee": service("cart").slug}


def data_source() -> Parts:
    made = DataSource.objects.create(slug="logs", kind="loki", url="http://127.0.0.1:9")
    return {"slug": made.slug, "source": made.slug}


def cause_rule() -> Parts:
    made = CorrelationRule.objects.create(name="mine", definition=CONDITIONS)
    return {"name": made.name, "version": made.version}


LOCAL = {"starts_at": "2030-07-01T02:00", "ends_at": "2030-07-01T03:00", "time_zone": "UTC"}
A, N = "/alerts/", "/notifications/"
ALERTS = (
    Deed("POST", f"{A}alertmanagers/new", "alertmanager.created",
         lambda: {"s": source().pk}, {"source": "$s", "url": "http://alertmanager:9093"}),
    Deed("POST", f"{A}alertmanagers/{{alertmanager_id}}", "alertmanager.changed", alertmanager,
         {"receiver": "studio"}),
    Deed("POST", f"{A}alertmanagers/{{alertmanager_id}}/read", "alert_source.alertmanagers_read",
         alertmanager),
    Deed("POST", f"{A}alertmanagers/{{alertmanager_id}}/remove", "alertmanager.deleted",
         alertmanager),
    Deed("POST", f"{A}heartbeats/new", "heartbeat.created", lambda: {"s": source().pk},
         {"source": "$s", "name": "watchdog", "matchers": "alertname=Watchdog",
          "interval_seconds": "60", "grace_seconds": "60", "severity": "high"}),
    Deed("POST", f"{A}heartbeats/{{heartbeat_id}}", "heartbeat.changed", heartbeat,
         {"name": "other"}),
    Deed("POST", f"{A}heartbeats/{{heartbeat_id}}/remove", "heartbeat.deleted", heartbeat),
    Deed("POST", f"{A}heartbeats/{{heartbeat_id}}/switch", "heartbeat.changed", heartbeat,
         {"enabled": "0"}),
    Deed("POST", f"{A}maintenance/new", "maintenance_window.created", given={
         "name": "Upgrade", "mode": "suppress", "environment": "production",
         "matchers": "team=core", **LOCAL}),
    Deed("POST", f"{A}maintenance/{{window_id}}", "maintenance_window.changed", window,
         {"name": "Longer"}),
    Deed("POST", f"{A}maintenance/{{window_id}}/cancel", "maintenance_window.changed", window),
    Deed("POST", f"{A}maintenance/{{window_id}}/extend", "maintenance_window.changed", window),
    Deed("POST", f"{A}reading/save", "alert_reading.created",
         given={"service_steps": "service", "severity_default": "high"}),
    Deed("POST", f"{A}rules/new", "grouping_rule.created", given={
         "name": "payments", "matchers": "team=payments", "group_by": "@service",
         "window": "open", "minimum_alerts": "1", "priority": "100", "enabled": "on"}),
    Deed("POST", f"{A}rules/{{rule_id}}", "grouping_rule.changed", grouping_rule,
         {"name": "other"}),
    Deed("POST", f"{A}rules/{{rule_id}}/move", "grouping_rule.changed", grouping_rule,
         {"by": "-1"}),
    Deed("POST", f"{A}rules/{{rule_id}}/remove", "grouping_rule.deleted", grouping_rule),
    Deed("POST", f"{A}rules/{{rule_id}}/switch", "grouping_rule.changed", grouping_rule,
         {"enabled": "0"}),
    Deed("POST", f"{A}sources", "alert_source.created",
         given={"slug": "us", "kind": "alertmanager", "environment": "production"}),
    Deed("POST", f"{A}sources/{{slug}}/revoke", "alert_source.tokens_ended", sender_with_token),
    Deed("POST", f"{A}sources/{{slug}}/rotate", "api_token.created", sender),
    Deed("PUT", "/api/alert-readings/{scope}", "alert_reading.created",
         lambda: {**sender(), "scope": "eu"}, {"service_steps": ["service"]}),
    Deed("DELETE", "/api/alert-readings/{scope}", "alert_reading.deleted", reading),
    Deed("POST", "/api/alert-sources", "alert_source.created",
         given={"slug": "us", "kind": "alertmanager"}),
    Deed("PATCH", "/api/alert-sources/{source}", "alert_source.changed", sender,
         {"ignored_labels": ["pod"]}),
    Deed("POST", "/api/alert-sources/{source}/revoke", "alert_source.tokens_ended",
         sender_with_token),
    Deed("POST", "/api/alert-sources/{source}/rotate", "api_token.created", sender),
    Deed("POST", "/api/alertmanagers", "alertmanager.created", sender,
         {"source": "$source", "url": "http://alertmanager:9093"}),
    Deed("PATCH", "/api/alertmanagers/{pk}", "alertmanager.changed", alertmanager,
         {"enabled": False}),
    Deed("DELETE", "/api/alertmanagers/{pk}", "alertmanager.deleted", alertmanager),
    Deed("POST", "/api/alertmanagers/{pk}/reconcile", "alert_source.alertmanagers_read",
         alertmanager),
    Deed("POST", "/api/heartbeats", "heartbeat.created", sender,
         {"source": "$source", "name": "watchdog", "matchers": ["alertname=Watchdog"],
          "interval_seconds": 60}),
    Deed("PATCH", "/api/heartbeats/{pk}", "heartbeat.changed", heartbeat, {"enabled": False}),
    Deed("DELETE", "/api/heartbeats/{pk}", "heartbeat.deleted", heartbeat),
    Deed("POST", "/api/maintenance-windows", "maintenance_window.created",
         given={"name": "Upgrade", "matchers": ["team=core"], **WINDOW}),
    Deed("PATCH", "/api/maintenance-windows/{pk}", "maintenance_window.changed", window,
         {"name": "Longer"}),
    Deed("POST", "/api/maintenance-windows/{pk}/cancel", "maintenance_window.changed", window),
    Deed("POST", "/api/maintenance-windows/{pk}/extend", "maintenance_window.changed", window,
         {"ends_at": "2030-07-01T04:00:00Z"}),
    Deed("POST", "/api/grouping-rules", "grouping_rule.created", given={"name": "payments"}),
    Deed("PATCH", "/api/grouping-rules/{pk}", "grouping_rule.changed", grouping_rule,
         {"name": "c"}),
    Deed("DELETE", "/api/grouping-rules/{pk}", "grouping_rule.deleted", grouping_rule),
)  # fmt: skip
NOTIFICATIONS = (
    Deed("POST", f"{N}channels/new", "notification_channel.created", given={
         "name": "mail", "kind": "email", "recipients": "oncall@example.com",
         "timeout_seconds": "10", "bundle_above": "5", "bundle_seconds": "60", "enabled": "on",
         "verify_tls": "on"}),
    Deed("POST", f"{N}channels/{{channel_id}}", "notification_channel.changed", channel,
         {"name": "post"}),
    Deed("POST", f"{N}channels/{{channel_id}}/remove", "notification_channel.changed", channel),
    Deed("POST", f"{N}channels/{{channel_id}}/switch", "notification_channel.changed", channel,
         {"enabled": "0"}),
    Deed("POST", f"{N}channels/{{channel_id}}/test", "notification_channel.tested", channel),
    Deed("POST", f"{N}rules/new", "notification_rule.created", channel, {
         "name": "night", "enabled": "on", "events": ["opened"], "severity_at_least": "high",
         "channels": "$channel", "time_zone": "UTC", "quietly": "hold"}),
    Deed("POST", f"{N}rules/{{rule_id}}", "notification_rule.changed", notification_rule,
         {"name": "night"}),
    Deed("POST", f"{N}rules/{{rule_id}}/remove", "notification_rule.deleted", notification_rule),
    Deed("POST", f"{N}rules/{{rule_id}}/switch", "notification_rule.changed", notification_rule,
         {"enabled": "0"}),
    Deed("POST", "/api/channels", "notification_channel.created",
         given={"name": "mail", "kind": "email", "recipients": ["oncall@example.com"]}),
    Deed("PATCH", "/api/channels/{pk}", "notification_channel.changed", channel,
         {"name": "post"}),
    Deed("DELETE", "/api/channels/{pk}", "notification_channel.changed", channel),
    Deed("POST", "/api/channels/{pk}/test", "notification_channel.tested", channel),
    Deed("POST", "/api/notification-rules", "notification_rule.created", channel,
         {"name": "night", "events": ["opened"], "channels": ["$channel"]}),
    Deed("PATCH", "/api/notification-rules/{pk}", "notification_rule.changed", notification_rule,
         {"enabled": False}),
    Deed("DELETE", "/api/notification-rules/{pk}", "notification_rule.deleted",
         notification_rule),
)  # fmt: skip
TYPED_RULE = {
    "name": "mine", "kind": "gremlins", "title": "{service}: gremlins",
    "conditions": "any:\n  - {log: gremlin}\n", "priority": "50", "enabled": "on",
}  # fmt: skip
CATALOGUE = (
    Deed("POST", "/incidents/{incident_id}/service", "service.created", unlinked,
         {"named": "mystery"}),
    Deed("POST", "/api/services", "service.created", given={"slug": "cart", "name": "Cart"}),
    Deed("PATCH", "/api/services/{pk}", "service.changed", a_service, {"team": "core"}),
    Deed("POST", "/api/dependencies", "service_dependency.created", two_services,
         {"caller": "$caller", "callee": "$callee"}),
    Deed("DELETE", "/api/dependencies/{pk}", "service_dependency.deleted", dependency),
    Deed("POST", "/api/changes", "change_event.created", a_service,
         {"service": "checkout", "kind": "deploy", "at": "2026-01-01T00:00:00Z", "title": "v2"}),
    Deed("POST", "/datasources/{slug}/check", "data_source.checked", data_source),
    Deed("POST", "/api/datasources", "data_source.created",
         given={"slug": "eu", "kind": "loki", "url": "http://loki:3100"}),
    Deed("PATCH", "/api/datasources/{source}", "data_source.changed", data_source,
         {"enabled": False}),
    Deed("DELETE", "/api/datasources/{source}", "data_source.deleted", data_source),
    Deed("POST", "/api/datasources/{source}/check", "data_source.checked", data_source),
    Deed("POST", "/rules/new", "correlation_rule.created", given=TYPED_RULE),
    Deed("POST", "/rules/{name}/edit", "correlation_rule.changed", cause_rule,
         {**TYPED_RULE, "priority": "60", "version": "$version"}),
    Deed("POST", "/rules/{name}/remove", "correlation_rule.deleted", cause_rule),
    Deed("POST", "/rules/{name}/switch", "correlation_rule.changed", cause_rule,
         {"enabled": "0", "version": "$version"}),
    *(
        deed
        for root in ("/api/correlation-rules", "/api/rules")
        for deed in (
            Deed("POST", root, "correlation_rule.created",
                 given={"name": "mine", "definition": CONDITIONS}),
            Deed("PATCH", f"{root}/{{name}}", "correlation_rule.changed", cause_rule,
                 {"priority": 60}),
            Deed("DELETE", f"{root}/{{name}}", "correlation_rule.deleted", cause_rule),
        )
    ),
)  # fmt: skip
DEEDS = (*ALERTS, *NOTIFICATIONS, *CATALOGUE)
