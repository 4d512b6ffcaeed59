"""Settings of the data sources that the environment names, and of the analyses that ask them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reliability_studio import environment as env

PROMETHEUS_URL = env.url("PROMETHEUS_URL")
LOKI_URL = env.url("LOKI_URL")
TEMPO_URL = env.url("TEMPO_URL")
ALERTMANAGER_URL = env.url("ALERTMANAGER_URL")
ALERTMANAGER_FIELDS = {
    "receiver": env.text("ALERTMANAGER_RECEIVER"),
    "auth_variable": env.text("ALERTMANAGER_AUTH_VARIABLE"),
    "auth_file": env.text("ALERTMANAGER_AUTH_FILE"),
    "ca_file": env.text("ALERTMANAGER_CA_FILE"),
}
KUBECONFIG = env.text("KUBECONFIG")
# where Kubernetes mounts what a pod may sign in with
KUBERNETES_SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")
KUBERNETES_IN_CLUSTER = env.boolean(
    "KUBERNETES_IN_CLUSTER",
    bool(env.text("KUBERNETES_SERVICE_HOST"))
    and (KUBERNETES_SERVICE_ACCOUNT_DIR / "token").exists(),
)
KUBERNETES_NAMESPACES = env.listing("KUBERNETES_NAMESPACES")
PROMETHEUS_PROFILE = env.text("PROMETHEUS_PROFILE")
SECRETS_DIR = env.text("SECRETS_DIR", "/run/secrets")
GRAFANA_URL = env.url("GRAFANA_URL")
STARTUP_PATIENCE_SECONDS = env.seconds("STARTUP_PATIENCE_SECONDS", 20.0, high=600)
# fields of the data source that each *_URL (and KUBECONFIG) seeds
DATA_SOURCE_FIELDS: dict[str, dict[str, Any]] = {
    kind.lower(): {
        "required": not env.boolean(f"{kind}_OPTIONAL"),
        "grafana_url": GRAFANA_URL,
        "grafana_uid": env.text(f"GRAFANA_{kind}_UID"),
        **(
            {}
            if kind == "KUBERNETES"
            else {
                "tenant": env.text(f"{kind}_TENANT"),
                "auth_variable": env.text(f"{kind}_AUTH_VARIABLE"),
                "auth_file": env.text(f"{kind}_AUTH_FILE"),
                "ca_file": env.text(f"{kind}_CA_FILE"),
            }
        ),
    }
    for kind in ("PROMETHEUS", "LOKI", "TEMPO", "KUBERNETES")
}
QUERY_PROFILES_DIR = env.text("QUERY_PROFILES_DIR")
SCRAPE_INTERVAL_SECONDS = env.seconds("SCRAPE_INTERVAL_SECONDS", 15.0, low=1, high=600)
LAB_URL = env.url("LAB_URL")

CORRELATION_SLOTS = env.integer("CORRELATION_SLOTS", 10, low=1, high=200)
CORRELATION_LEASE_SECONDS = env.seconds("CORRELATION_LEASE_SECONDS", 60.0, low=1)
CORRELATION_DEADLINE_SECONDS = env.seconds("CORRELATION_DEADLINE_SECONDS", 10.0, low=0.1, high=300)
CORRELATION_REPEATS_SECONDS = (15, 30, 60, 120, 300)
EVIDENCE_SNAPSHOT_DAYS = env.integer("EVIDENCE_SNAPSHOT_DAYS", 90, low=0, high=3650)
EVIDENCE_SNAPSHOT_MAX_BYTES = env.integer("EVIDENCE_SNAPSHOT_MAX_BYTES", 2_000_000, low=0)
