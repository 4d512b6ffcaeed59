"""What runs a cluster rather than the business: system namespaces and telemetry's own programs."""

from __future__ import annotations

import re

_NAMESPACES = re.compile(
    r"^(kube-.*|.*-system|openshift(-.*)?|cert-manager|linkerd(-.*)?|istio-.*|tigera-operator"
    r"|local-path-storage|ingress-nginx|monitoring|observability|logging|argocd|flux|velero"
    r"|external-secrets|external-dns|prometheus|grafana|loki|tempo|gke-.*|amazon-.*|azure-.*)$"
)
_PROGRAMS = re.compile(
    r"^(.*-)?(prometheus(-server|-pushgateway|-operator|-operated)?|alertmanager|grafana"
    r"|(grafana-)?loki(-.*)?|(grafana-)?tempo(-.*)?|(grafana-)?mimir(-.*)?|thanos(-.*)?|promtail"
    r"|alloy|grafana-agent|fluent-?bit|fluentd|filebeat|node-exporter|kube-state-metrics"
    r"|metrics-server|cadvisor|kubelet|kube-proxy|kube-dns|coredns|kubernetes|apiserver"
    r"|kube-apiserver|kube-scheduler|kube-controller-manager|etcd|otel-?col(lector)?"
    r"|opentelemetry-collector|otelcol-contrib|jaeger(-.*)?|zipkin|blackbox-exporter|.*-exporter"
    r"|cert-manager(-.*)?|external-dns|cluster-autoscaler|aws-node|calico-.*|cilium(-.*)?"
    r"|istiod|istio-(proxy|ingressgateway|egressgateway|pilot)|linkerd-.*|unknown[_-]service([:-].*)?"
    r"|unknown|passthroughcluster|blackholecluster|victoriametrics|vmagent|vmalert|pushgateway)$"
)


def is_system_namespace(namespace: str) -> bool:
    return bool(_NAMESPACES.match(namespace))


def is_addon(name: str) -> bool:
    """Whether the short name is a system add-on's or a telemetry program's."""
    return bool(_PROGRAMS.match(name.lower()))
