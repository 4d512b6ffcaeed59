"""Prometheus text exposition of a scrape, and OpenMetrics text of a whole history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TextIO

from lab.meters import Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# family -> (type, help, unit)
FAMILIES: dict[str, tuple[str, str, str]] = {
    "http_requests_total": ("counter", "HTTP requests served.", ""),
    "http_request_duration_seconds": ("histogram", "Time to serve a request.", "seconds"),
    "client_requests_total": ("counter", "Requests to other services, by outcome.", ""),
    "client_request_duration_seconds": (
        "histogram", "Time other services took, as their caller saw it.", "seconds",
    ),
    "process_cpu_seconds_total": ("counter", "CPU time used.", "seconds"),
    "process_resident_memory_bytes": ("gauge", "Resident memory.", "bytes"),
    "process_start_time_seconds": ("gauge", "Start of the process, epoch seconds.", "seconds"),
    "kube_pod_container_resource_limits": ("gauge", "Resource limits of a container.", ""),
    "kube_pod_container_status_restarts_total": ("counter", "Container restarts.", ""),
    "kube_pod_status_ready": ("gauge", "Whether the pod is ready.", ""),
    "kube_deployment_spec_replicas": ("gauge", "Desired pods.", ""),
    "kube_deployment_status_replicas_available": ("gauge", "Available pods.", ""),
    "db_pool_connections_in_use": ("gauge", "Connections checked out.", ""),
    "db_pool_connections_max": ("gauge", "Size of the pool.", ""),
    "db_pool_pending_acquires": ("gauge", "Callers waiting for a connection.", ""),
    "pg_stat_activity_count": ("gauge", "Open connections.", ""),
    "pg_settings_max_connections": ("gauge", "Allowed connections.", ""),
    "redis_memory_used_bytes": ("gauge", "Memory in use.", "bytes"),
    "queue_depth": ("gauge", "Messages not yet delivered.", ""),
}  # fmt: skip


def family_of(name: str) -> str:
    """The family that a series belongs to. Raises KeyError for a name that has none."""
    if name in FAMILIES:
        return name
    for ending in ("_bucket", "_sum", "_count"):
        if name.endswith(ending) and FAMILIES[name.removesuffix(ending)][0] == "histogram":
            return name.removesuffix(ending)
    raise KeyError(name)


def _labels(labels: Mapping[str, str]) -> str:
    def escape(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return "{" + ",".join(f'{key}="{escape(value)}"' for key, value in labels.items()) + "}"


def text(samples: Iterable[Sample]) -> bytes:
    """Prometheus text format 0.0.4, each family once with its TYPE and HELP."""
    by_family: dict[str, list[str]] = {}
    for series, value in samples:
        lines = by_family.setdefault(family_of(series.name), [])
        lines.append(f"{series.name}{_labels(series.labels)} {value!r}\n")
    out = []
    for family, lines in by_family.items():
        kind, about, _ = FAMILIES[family]
        out.append(f"# HELP {family} {about}\n# TYPE {family} {kind}\n")
        out.extend(lines)
    return "".join(out).encode()


class History:
    """A sink that keeps all samples, to be written as OpenMetrics text."""

    def __init__(self) -> None:
        self._series: dict[
            tuple[str, frozenset[tuple[str, str]]],
            tuple[str, dict[str, str], list[float], list[float]],
        ] = {}

    def extend(
        self, name: str, labels: Mapping[str, str], times: Sequence[float], values: Sequence[float]
    ) -> None:
        key = (name, frozenset(labels.items()))
        kept = self._series.setdefault(key, (name, dict(labels), [], []))
        kept[2].extend(times)
        kept[3].extend(values)

    def writer(self, name: str, labels: Mapping[str, str]) -> Callable[[float, float], None]:
        def write(at: float, value: float) -> None:
            self.extend(name, labels, (at,), (value,))

        return write

    def mark_stale(self, name: str, labels: Mapping[str, str], at: float) -> None:
        """OpenMetrics text has no staleness marker: a series that ended simply ends."""

    def write(self, out: TextIO) -> int:
        """Write OpenMetrics text with timestamps; returns the number of samples."""
        by_family: dict[str, list[tuple[str, dict[str, str], list[float], list[float]]]] = {}
        for entry in self._series.values():
            by_family.setdefault(family_of(entry[0]), []).append(entry)
        written = 0
        for family, entries in by_family.items():
            kind, about, _ = FAMILIES[family]
            shown = family.removesuffix("_total") if kind == "counter" else family
            out.write(f"# HELP {shown} {about}\n# TYPE {shown} {kind}\n")
            for name, labels, times, values in entries:
                head = f"{name}{_labels(labels)}"
                for at, value in zip(times, values, strict=True):
                    out.write(f"{head} {value!r} {at:.3f}\n")
                written += len(times)
        out.write("# EOF\n")
        return written
