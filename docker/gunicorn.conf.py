"""gunicorn for the web process; what differs between installations comes from the environment."""

import os
from typing import Any

bind = os.environ.get("WEB_BIND", "0.0.0.0:8000")
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "16"))
# deliveries that wait for the database leave threads to say 503, and to answer pages and /health
os.environ.setdefault("INTAKE_MAX_IN_WORK", str(max(1, threads * 3 // 4)))
worker_class = "gthread"
# heartbeats of workers: never on a disk, whose stalls would look like a dead worker
worker_tmp_dir = "/dev/shm"  # noqa: S108 - a directory of the image, for gunicorn alone
timeout = 60
graceful_timeout = 20
keepalive = 75  # longer than nginx keeps its own idle connections
max_requests = 20_000
max_requests_jitter = 2_000
# who is trusted about X-Forwarded-*: the settings decide (TRUSTED_PROXIES, STUDIO_HTTPS)
forwarded_allow_ips = "*"
# one line a request is the product's own
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True


def child_exit(server: Any, worker: Any) -> None:
    """A worker that ended leaves its counts behind, and no gauges."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
