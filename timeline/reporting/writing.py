"""Writes the reports that are due from the sealed timeline, and drafts the postmortem with each."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from incidents import live
from incidents.models import Incident
from timeline.models import TimelineAnchor
from timeline.postmortems import drafts
from timeline.reporting import composing, queue
from timeline.reporting.models import IncidentReport

logger = logging.getLogger("studio.report")
MOST_AT_ONCE = 100


def run_waiting() -> int:
    """Write what is due, one after another; how many were taken up."""
    for taken in range(MOST_AT_ONCE):
        report = queue.claim_next()
        if report is None:
            return taken
        write_or_fail(report)
    queue.wake()
    return MOST_AT_ONCE


def write_or_fail(report: IncidentReport) -> bool:
    """False when it could not be written; the row says why and when it is tried again."""
    try:
        return write(report)
    except Exception as error:
        # any bug of any app's section, or the database: the row and the page say so
        logger.exception("the report of incident %s could not be written", report.incident_id)
        queue.fail(report, f"{type(error).__name__}: {error}")
        return False


def write(report: IncidentReport) -> bool:
    """Gather, then write in one short block; False when it was dropped or taken over."""
    incident = Incident.objects.get(pk=report.incident_id)
    content = composing.compose(incident, version=report.version)
    text = composing.as_markdown(content)
    wanted = not incident.closed_as or incident.postmortems.exists()
    drafted = drafts.prepare(incident) if wanted else None
    with transaction.atomic():
        live.changed(incident.pk, queue.PANEL)  # the incident's lock: no reopening meanwhile
        anchor = TimelineAnchor.objects.filter(pk=incident.pk, sealed_at__isnull=False).first()
        if anchor is None or anchor.root_digest != content["root_digest"]:
            queue.fail(report, "The timeline was opened again while the report was written.")
            return False
        written = queue.held(report).update(
            state=IncidentReport.State.DONE,
            generated_at=timezone.now(),
            lease_until=None,
            error="",
            sealed_at=anchor.sealed_at,
            root_digest=anchor.root_digest,
            data=content,
            markdown=text,
            digest=composing.digest_of(text),
        )
        if written and drafted is not None:
            drafts.store(incident, drafted)
        return bool(written)
