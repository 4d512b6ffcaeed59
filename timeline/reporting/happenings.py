"""What a report says of what happened: the timeline and the alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import QuerySet

from incidents.models import Incident
from timeline.images.models import NoteImage
from timeline.models import TimelineEvent
from timeline.reporting.markdown import bullets, clock, escaped, quoted, table
from timeline.reporting.sections import Section
from timeline.union import events_of

MOST_EVENTS = 1000
MOST_ALERTS = 200


def timeline(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{events: the oldest MOST_EVENTS with those of merged incidents, total}.

    Of each event: origin (INC-number), seq, kind, severity, title, body, by, occurred_at,
    recorded_at, hash, corrects (seq or None), corrected_by (seqs), is_own, images ([{name, url,
    width, height, sha256}]).
    """
    found = events_of(incident, as_of)
    if as_of is not None:
        found = found.filter(recorded_at__lte=as_of)
    events = list(
        found.select_related("actor", "corrects").defer("canonical", "data")[:MOST_EVENTS]
    )
    corrections: dict[Any, list[int]] = {}
    for event in events:
        if event.corrects_id is not None:
            corrections.setdefault(event.corrects_id, []).append(event.seq)
    images = _images(found)
    return {
        "total": len(events) if len(events) < MOST_EVENTS else found.count(),
        "events": [
            {
                "origin": f"INC-{event.origin_number}",  # type: ignore[attr-defined]
                "is_own": event.incident_id == incident.pk,
                "seq": event.seq,
                "kind": event.kind,
                "severity": event.severity,
                "title": event.title,
                "body": event.body,
                "by_person": event.actor is not None,
                "by": event.actor.username if event.actor else event.source,
                "occurred_at": event.occurred_at,
                "recorded_at": event.recorded_at,
                "hash": event.digest,
                "corrects": event.corrects.seq if event.corrects else None,
                "corrected_by": corrections.get(event.pk, []),
                "images": images.get(event.pk, []),
            }
            for event in events
        ],
    }


def _images(events: QuerySet[TimelineEvent]) -> dict[Any, list[dict[str, Any]]]:
    """What was attached to these events, by event."""
    by_event: dict[Any, list[dict[str, Any]]] = {}
    ids = events.order_by().values("pk")
    for image in NoteImage.objects.filter(event__in=ids).order_by("added_at", "id"):
        by_event.setdefault(image.event_id, []).append(
            {
                "name": image.name,
                "url": image.get_absolute_url(),
                "width": image.width,
                "height": image.height,
                "sha256": image.sha256,
            }
        )
    return by_event


def timeline_markdown(data: dict[str, Any]) -> str:
    parts = []
    for event in data["events"]:
        origin = "" if event["is_own"] else f"{event['origin']} "
        title = escaped(event["title"])
        if event["corrected_by"]:
            title = f"~~{title}~~ (corrected by {_numbers(event['corrected_by'])})"
        parts.append(
            f"**{clock(event['occurred_at'])}** {title} "
            f"({origin}event {event['seq']}, {escaped(event['by'])})"
        )
        if event["body"]:
            body = event["body"]
            # machines' text as it stands: log templates have *
            parts.append(quoted(body if event["by_person"] else _plain(body)))
        if event["images"]:
            parts.append(bullets(_image_line(image) for image in event["images"]))
    if data["total"] > len(data["events"]):
        parts.append(f"{data['total'] - len(data['events'])} later events are left out here.")
    return "\n\n".join(parts) or "Nothing was recorded."


def _image_line(image: dict[str, Any]) -> str:
    """Named and told by its digest: the file itself is not part of the Markdown."""
    address = urljoin(settings.STUDIO_URL + "/", image["url"].lstrip("/"))
    size = f"{image['width']} x {image['height']}"
    return f"Image [{escaped(image['name'])}](<{address}>), {size}, SHA-256 `{image['sha256']}`"


def _plain(text: str) -> str:
    return "\n".join(f"{escaped(line)}  " for line in text.splitlines())


def _numbers(seqs: list[int]) -> str:
    return ", ".join(str(seq) for seq in seqs)


def alerts(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    """{total, alerts: [{name, service, source, started_at, resolved_at, ended_by, id}]}."""
    found = incident.occurrences.order_by("started_at", "id")
    if as_of is not None:
        found = found.filter(started_at__lte=as_of)
    rows = list(found.select_related("alert__source", "service")[:MOST_ALERTS])
    return {
        "total": len(rows) if len(rows) < MOST_ALERTS else found.count(),
        "alerts": [
            {
                "id": row.pk,
                "name": row.alert.name,
                "summary": str(row.alert.annotations.get("summary", "")),
                "service": row.service.slug if row.service else None,
                "source": row.alert.source.slug,
                "started_at": row.started_at,
                "resolved_at": row.resolved_at,
                "ended_by": row.get_ended_by_display() if row.resolved_at else "",
            }
            for row in rows
        ],
    }


def alerts_markdown(data: dict[str, Any]) -> str:
    if not data["alerts"]:
        return "No alert belongs to this incident."
    head = ("Alert", "Service", "Fired", "Ended", "Source")
    told = table(
        head,
        (
            (
                row["name"],
                row["service"] or "not known",
                clock(row["started_at"]),
                clock(row["resolved_at"]) or "still firing",
                row["source"],
            )
            for row in data["alerts"]
        ),
    )
    left = data["total"] - len(data["alerts"])
    return f"{told}\n\n{left} more are left out here." if left > 0 else told


ALERTS = Section("alerts", "Alerts", 60, alerts, "timeline/_report_alerts.html", alerts_markdown)
TIMELINE = Section(
    "timeline", "Timeline", 90, timeline, "timeline/_report_timeline.html", timeline_markdown
)
