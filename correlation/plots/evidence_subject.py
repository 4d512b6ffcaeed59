"""A stored correlation as the plots see it."""

from __future__ import annotations

from django.urls import reverse

from correlation.models import Correlation
from correlation.plots.drawing import Subject, drawing_of
from incidents.models import Incident


def subject_of(correlation: Correlation, incident: Incident | None = None) -> Subject:
    """What is drawn of it; with `incident` its start is marked."""
    asked = correlation.details.get("range")
    end = asked.get("end") if isinstance(asked, dict) else None
    return Subject(
        type=correlation.type,
        title=correlation.title,
        signal=correlation.signal,
        unit=correlation.unit,
        onset_at=correlation.onset_at.timestamp() if correlation.onset_at else None,
        started_at=incident.started_at.timestamp() if incident else None,
        end=float(end) if isinstance(end, int | float) else None,
        details=correlation.details,
    )


def plot_path(correlation: Correlation, incident: Incident) -> str | None:
    """Where the API serves its plot; None where there is too little to draw."""
    if drawing_of(subject_of(correlation)) is None:
        return None
    return reverse("correlation-plot", args=[incident.pk, correlation.pk])
