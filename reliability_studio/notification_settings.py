"""Settings of the messages that are sent about incidents, and of mail."""

from __future__ import annotations

from reliability_studio import environment as env

OUTBOUND_ALLOWED_NETWORKS = env.networks("OUTBOUND_ALLOWED_NETWORKS")
NOTIFY_GIVE_UP_SECONDS = env.seconds("NOTIFY_GIVE_UP_SECONDS", 6 * 3600.0, low=1)
EMAIL_BACKEND = "incidents.notify.smtp.Backend"
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", 587, low=1, high=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_SECURITY = env.text("EMAIL_SECURITY", {465: "ssl", 587: "starttls"}.get(EMAIL_PORT, "none"))
if EMAIL_SECURITY not in ("ssl", "starttls", "none"):
    env.report(
        "studio.E060",
        "EMAIL_SECURITY",
        f"EMAIL_SECURITY is {EMAIL_SECURITY!r}.",
        "Use ssl (from the first byte, port 465), starttls (port 587) or none.",
    )
EMAIL_USE_SSL = EMAIL_SECURITY == "ssl"
EMAIL_USE_TLS = EMAIL_SECURITY == "starttls"
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Reliability Studio <studio@localhost>")
