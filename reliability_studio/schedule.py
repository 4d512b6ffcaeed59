"""What runs now and then, and how often in seconds."""

from __future__ import annotations

from typing import Any


def beat_schedule(*, reconcile_seconds: float) -> dict[str, dict[str, Any]]:
    """Celery's schedule. Entries named `sweep-...` run at an embedded server's start as well."""
    return {
        "chain-audit": {"task": "accounts.tasks.chain_audit", "schedule": 30.0},
        "prune-logins": {"task": "accounts.tasks.prune_logins", "schedule": 3600.0},
        "sweep-analyses": {"task": "correlation.tasks.sweep", "schedule": 15.0},
        "repeat-young-analyses": {"task": "correlation.tasks.repeat", "schedule": 2.0},
        "write-reports": {"task": "timeline.tasks.write_reports", "schedule": 5.0},
        "prune-images": {"task": "timeline.tasks.prune_images", "schedule": 3600.0},
        "prune-snapshots": {"task": "correlation.tasks.prune_snapshots", "schedule": 3600.0},
        "converge-incidents": {"task": "incidents.tasks.converge", "schedule": 15.0},
        "resolve-quiet-incidents": {"task": "incidents.tasks.resolve_quiet", "schedule": 10.0},
        "reconcile-alerts": {
            "task": "incidents.tasks.reconcile_alerts",
            "schedule": reconcile_seconds,
        },
        "mark-stale-alerts": {"task": "incidents.tasks.mark_stale_alerts", "schedule": 30.0},
        "end-flapping": {"task": "incidents.tasks.end_flapping", "schedule": 10.0},
        "check-heartbeats": {"task": "incidents.tasks.check_heartbeats", "schedule": 10.0},
        "release-maintenance": {"task": "incidents.tasks.release_maintenance", "schedule": 10.0},
        "release-waiting": {"task": "incidents.tasks.release_waiting", "schedule": 10.0},
        "archive-incidents": {"task": "incidents.tasks.archive_due", "schedule": 60.0},
        "prune-deliveries": {"task": "incidents.tasks.prune_deliveries", "schedule": 3600.0},
        "sweep-deliveries": {"task": "incidents.tasks.sweep_deliveries", "schedule": 10.0},
        "evaluate-slos": {"task": "slos.tasks.evaluate", "schedule": 60.0},
        "catch-up-slos": {"task": "slos.tasks.catch_up", "schedule": 300.0},
        "prune-slo-history": {"task": "slos.tasks.prune_history", "schedule": 3600.0},
        "sweep-notifications": {
            "task": "incidents.tasks.send_notifications",
            "schedule": 3.0,
        },
    }
