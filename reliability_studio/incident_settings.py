"""Settings of intake, of the life of alerts and incidents, of merging and of what is written."""

from __future__ import annotations

from reliability_studio import environment as env

INTAKE_MAX_BYTES = env.integer("INTAKE_MAX_BYTES", 5_000_000, low=1000)
INTAKE_MAX_ALERTS = env.integer("INTAKE_MAX_ALERTS", 10_000, low=1)
INTAKE_MAX_LABELS = env.integer("INTAKE_MAX_LABELS", 100, low=1)
INTAKE_MAX_LABEL_LENGTH = env.integer("INTAKE_MAX_LABEL_LENGTH", 4096, low=16)
INTAKE_MAX_IN_WORK = env.integer("INTAKE_MAX_IN_WORK", 64, low=1)
INTAKE_MAX_WAITING = env.integer("INTAKE_MAX_WAITING", 100_000, low=1)
INTAKE_DELIVERY_RETENTION_DAYS = env.integer("INTAKE_DELIVERY_RETENTION_DAYS", 7, low=1, high=3650)

RECONCILE_SECONDS = env.seconds("RECONCILE_SECONDS", 60.0, low=5, high=3600)
RECONCILE_SETTLE_SECONDS = env.seconds("RECONCILE_SETTLE_SECONDS", 600.0)
RECONCILE_ABSENT_SECONDS = env.seconds("RECONCILE_ABSENT_SECONDS", 600.0)
RECONCILE_LOST_AFTER_SECONDS = env.seconds("RECONCILE_LOST_AFTER_SECONDS", 600.0)
ALERT_REPEAT_INTERVAL_SECONDS = env.seconds("ALERT_REPEAT_INTERVAL_SECONDS", 4 * 3600.0, low=10)
ALERT_FLAP_CHANGES = env.integer("ALERT_FLAP_CHANGES", 6, low=1)
ALERT_FLAP_WINDOW_SECONDS = env.seconds("ALERT_FLAP_WINDOW_SECONDS", 1800.0, low=10)
ALERT_FLAP_QUIET_SECONDS = env.seconds("ALERT_FLAP_QUIET_SECONDS", 600.0)

# how alike two open incidents of one cause must be to be merged, or proposed; above 1: never
MERGE_ABOVE = env.number("MERGE_ABOVE", 0.8, low=0.01, high=2, read=float)
MERGE_PROPOSE_ABOVE = env.number("MERGE_PROPOSE_ABOVE", 0.5, low=0.01, high=2, read=float)
RESOLVE_HOLD_DOWN_SECONDS = env.seconds("RESOLVE_HOLD_DOWN_SECONDS", 120.0)
REOPEN_WINDOW_SECONDS = env.seconds("REOPEN_WINDOW_SECONDS", 600.0)
ARCHIVE_AFTER_SECONDS = env.seconds("ARCHIVE_AFTER_SECONDS", 24 * 3600.0)
JOIN_NEIGHBOURS_SECONDS = env.seconds("JOIN_NEIGHBOURS_SECONDS", 300.0)

NOTE_IMAGES_MOST = env.integer("NOTE_IMAGES_MOST", 6, low=1, high=50)
NOTE_IMAGE_MAX_BYTES = env.integer("NOTE_IMAGE_MAX_BYTES", 5_000_000, low=1000)
NOTE_IMAGE_MAX_PIXELS = env.integer("NOTE_IMAGE_MAX_PIXELS", 40_000_000, low=10_000)
POSTMORTEM_REQUIRES_APPROVAL = env.boolean("POSTMORTEM_REQUIRES_APPROVAL", True)

# how often an open page's socket asks whether its session still holds
SOCKET_CHECK_SECONDS = env.seconds("SOCKET_CHECK_SECONDS", 60.0, low=0.1, high=3600)
