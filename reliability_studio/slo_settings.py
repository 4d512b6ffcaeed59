"""Settings of SLOs, of what their breaches do, and of how impact is told."""

from __future__ import annotations

from reliability_studio import environment as env

SLO_HISTORY_DAYS = env.integer("SLO_HISTORY_DAYS", 400, low=100, high=3650)
SLO_TICKETS_OPEN_INCIDENTS = env.boolean("SLO_TICKETS_OPEN_INCIDENTS", True)

# ISO 4217, shown with amounts; amounts and people are rounded to multiples of these
IMPACT_CURRENCY = env.text("IMPACT_CURRENCY", "USD")
IMPACT_MONEY_STEP = env.number("IMPACT_MONEY_STEP", 1.0, low=0.01, high=1e6, read=float)
IMPACT_USERS_STEP = env.integer("IMPACT_USERS_STEP", 1, low=1, high=1_000_000)
IMPACT_BASELINE_SECONDS = env.seconds("IMPACT_BASELINE_SECONDS", 3600.0, low=300, high=21600)
# by how much a figure must differ from what the timeline was told last to be told again
IMPACT_MATERIAL_CHANGE = env.number("IMPACT_MATERIAL_CHANGE", 0.25, low=0.01, high=10, read=float)
