"""What to paste at a sender so that it delivers here."""

from __future__ import annotations

from dataclasses import dataclass

from incidents.models import AlertSource


@dataclass(frozen=True)
class Snippet:
    """`name` is an element id, `where` the file or form that `text` goes into."""

    name: str
    where: str
    text: str


ALERTMANAGER = """\
route:
  receiver: reliability-studio
  group_by: [alertname, service, namespace]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h
receivers:
  - name: reliability-studio
    webhook_configs:
      - url: {address}
        send_resolved: true
        max_alerts: 0
        http_config:
          authorization:
            type: Bearer
            credentials_file: /etc/alertmanager/studio-token
"""
WATCHDOG = """\
groups:
  - name: watchdog
    rules:
      - alert: Watchdog
        expr: vector(1)
        labels:
          severity: none
        annotations:
          summary: Always fires; its silence means that alerting is broken.
"""
GRAFANA = """\
apiVersion: 1
contactPoints:
  - orgId: 1
    name: reliability-studio
    receivers:
      - uid: reliability-studio
        type: webhook
        settings:
          url: {address}
          httpMethod: POST
          authorization_scheme: Bearer
          authorization_credentials: $STUDIO_TOKEN
          maxAlerts: 0
        disableResolveMessage: false
"""
EVENTS = """\
curl {address} -H 'Content-Type: application/json' -d '{{
  "routing_key": "'"$STUDIO_TOKEN"'",
  "event_action": "trigger",
  "dedup_key": "checkout-errors",
  "payload": {{
    "summary": "Checkout fails",
    "source": "checkout-1",
    "severity": "critical",
    "component": "checkout"
  }}
}}'
"""


def of(kind: str, address: str) -> list[Snippet]:
    """The settings for a sender of this kind; `address` is where it delivers."""
    if kind == AlertSource.Kind.GRAFANA:
        where = "Grafana: provisioning/alerting/reliability-studio.yaml"
        return [Snippet("settings-grafana", where, GRAFANA.format(address=address))]
    if kind == AlertSource.Kind.EVENTS:
        where = "Any shell; dedup_key names the alert, resolve ends it"
        return [Snippet("settings-events", where, EVENTS.format(address=address))]
    return [
        Snippet(
            "settings-alertmanager",
            "alertmanager.yml; the token goes into its credentials_file",
            ALERTMANAGER.format(address=address),
        ),
        Snippet("settings-prometheus", "Prometheus: a rule file", WATCHDOG),
    ]
