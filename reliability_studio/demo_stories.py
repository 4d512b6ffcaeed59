"""What the demo's shop lived through before it was set up: made up, as its team would tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Said:
    """A note that `by` wrote `minute` minutes after the start; Markdown in `body`."""

    minute: float
    by: str
    title: str
    body: str = ""


@dataclass(frozen=True)
class Story:
    """An incident that is over. Minutes count from its start, `ago` to its start.

    `words` are people's sections of its postmortem; `state` is how far that has come: "draft",
    "in_review" or "published".
    """

    ago: timedelta
    title: str
    severity: str
    services: tuple[str, ...]
    description: str
    commander: str
    detected: float
    acknowledged: float
    mitigated: float
    mitigation: str
    resolved: float
    root_cause: str
    resolution: str
    notes: tuple[Said, ...]
    task: str
    state: str
    words: dict[str, str] = field(default_factory=dict)


STORIES = (
    Story(
        ago=timedelta(days=16, hours=5, minutes=20),
        title="Carts are empty after a Redis failover",
        severity="high",
        services=("redis", "cart", "frontend"),
        description="Customers report empty carts. The cart service answers, with nothing in it.",
        commander="sam",
        detected=4.2,
        acknowledged=6.5,
        mitigated=27.0,
        mitigation="Sessions are read from the promoted replica again.",
        resolved=41.4,
        root_cause=(
            "The primary was replaced before its replica had caught up: "
            "the writes of 90 seconds were lost."
        ),
        resolution="Replication caught up; lost carts were rebuilt from the order log.",
        notes=(
            Said(9, "sam", "The failover began at the time the first cart was lost"),
            Said(
                15,
                "admin",
                "The replica was 90 s behind",
                "`master_repl_offset` and the replica's offset differ by **4.1 MB**. "
                "Maintenance was planned for an hour with less traffic and moved.",
            ),
            Said(33, "sam", "New carts are kept", "Ten test carts over five minutes, none lost."),
        ),
        task="Refuse a failover while the replica is more than 1 s behind",
        state="published",
        words={
            "summary": (
                "A planned failover of Redis lost the carts that were changed in the 90 seconds "
                "before it. Customers saw empty carts for 27 minutes."
            ),
            "went_well": "- The order log was complete: every lost cart could be rebuilt.",
            "went_wrong": (
                "- The failover's check list does not ask how far the replica is behind.\n"
                "- Customers noticed before an alert did."
            ),
        },
    ),
    Story(
        ago=timedelta(days=9, hours=2, minutes=45),
        title="Order confirmations arrive an hour late",
        severity="medium",
        services=("notifications", "queue"),
        description="The queue of order confirmations grows by 300 messages a minute.",
        commander="admin",
        detected=11.0,
        acknowledged=13.6,
        mitigated=52.0,
        mitigation="Two more consumers run.",
        resolved=84.5,
        root_cause="One malformed message was delivered again for ever and blocked its partition.",
        resolution="The message was moved aside; what had waited was sent within half an hour.",
        notes=(
            Said(20, "admin", "One consumer of four is stuck on the same message"),
            Said(48, "sam", "Support was told", "Confirmations are late, no order is lost."),
        ),
        task="Move a message aside after its third failed delivery",
        state="in_review",
        words={"summary": "A message that no consumer could read held up order confirmations."},
    ),
    Story(
        ago=timedelta(days=3, hours=7, minutes=5),
        title="Product pages are slow after the nightly cache flush",
        severity="high",
        services=("catalogue", "frontend"),
        description="p95 of product pages is 2.8 s, usually 180 ms.",
        commander="sam",
        detected=1.5,
        acknowledged=3.0,
        mitigated=12.5,
        mitigation="The cache was warmed by hand.",
        resolved=22.8,
        root_cause="The job that warms the cache had been switched off with an unrelated one.",
        resolution="The job is on again, and the flush waits for it.",
        notes=(
            Said(5, "sam", "Hit rate of the cache fell from 97 % to 8 %"),
            Said(8, "sam", "Every miss is a query of 40 ms; nothing else changed tonight"),
        ),
        task="Alert when the hit rate of the catalogue's cache is under 60 %",
        state="draft",
    ),
)
