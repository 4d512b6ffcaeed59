"""Puts a report together: every section's data, its Markdown, and the whole as one file."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts import chain
from incidents.models import Incident
from timeline.models import TimelineAnchor
from timeline.reporting.markdown import clock, escaped
from timeline.reporting.sections import Section, sections

logger = logging.getLogger("studio.report")
FORMAT = 1


def compose(incident: Incident, *, version: int, draft: bool = False) -> dict[str, Any]:
    """The report as it is now, plain JSON: what `IncidentReport.data` holds.

    A section that cannot be gathered makes it fail; in a draft it is told and costs no other.
    """
    anchor = TimelineAnchor.objects.filter(pk=incident.pk, sealed_at__isnull=False).first()
    head = {
        "format": FORMAT,
        "version": version,
        "draft": draft,
        "generated_at": timezone.now(),
        "incident": {
            "id": incident.pk,
            "reference": incident.reference,
            "url": incident.get_absolute_url(),
            "title": incident.title,
            "severity": incident.severity,
            "status": incident.status,
            "environment": incident.environment,
            "started_at": incident.started_at,
            "resolved_at": incident.resolved_at,
        },
        "events": anchor.length if anchor else None,
        "sealed_at": anchor.sealed_at if anchor else None,
        "root_digest": anchor.root_digest if anchor else "",
    }
    parts = [_part(section, incident, None, forgiving=draft) for section in sections()]
    return {**_plain(head), "sections": parts}


def _part(
    section: Section, incident: Incident, as_of: datetime | None, *, forgiving: bool
) -> dict[str, Any]:
    part: dict[str, Any] = {"name": section.name, "title": section.title}
    try:
        data = _plain(section.gather(incident, as_of))
        return {**part, "data": data, "markdown": section.markdown(data)}
    except Exception:
        if not forgiving:
            raise
        # any bug of any app's section: the rest of a draft is worth reading
        logger.exception("section %s of %s could not be written", section.name, incident.reference)
        return {**part, "data": None, "markdown": "This section could not be written."}


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(chain.canonical(given))
    return found


def as_markdown(content: dict[str, Any]) -> str:
    """The whole report as one Markdown file."""
    incident = content["incident"]
    title = f"# {incident['reference']} {escaped(incident['title'])}"
    facts = [
        f"{incident['severity'].capitalize()}, {incident['status']}, "
        f"{escaped(incident['environment'])}",
        f"Incident report, version {content['version']}, written {clock(content['generated_at'])}",
    ]
    if content["draft"]:
        facts[1] = f"**Draft**: as it stands at {clock(content['generated_at'])}, not a record"
    if content["root_digest"]:
        facts.append(
            f"Timeline sealed {clock(content['sealed_at'])} with {content['events']} events, "
            f"root digest `{content['root_digest']}`"
        )
    parts = [title, "  \n".join(facts)]
    for part in content["sections"]:
        parts.append(f"## {escaped(part['title'])}")
        parts.append(part["markdown"])
    return "\n\n".join(parts) + "\n"


def digest_of(text: str) -> str:
    """SHA-256 (hex) of the file as it is served."""
    return hashlib.sha256(text.encode()).hexdigest()
