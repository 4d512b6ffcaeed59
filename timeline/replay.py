"""The incident page as it was known at an earlier moment, with a slider over its time.

A review without hindsight: nothing on it was written after the moment that is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from accounts.models import Role
from accounts.permissions import role_required
from incidents.models import Incident
from incidents.pages import page_of
from timeline.aftermath import after_sealing
from timeline.models import Severity, TimelineEvent
from timeline.union import events_of

MARKS = 2000  # at most so many events are looked at for the marks, the first ones
WIDTH = 1000  # of the marks' drawing


@dataclass(frozen=True)
class Span:
    """Whole seconds since 1970 from before the first to after the last that is known."""

    start: int
    end: int

    def held(self, at: float) -> int:
        """The nearest second within; a part of a second counts as the whole."""
        return max(self.start, min(self.end, math.ceil(at)))

    def place(self, at: float) -> int:
        """0 to WIDTH."""
        length = max(1, self.end - self.start)
        return round(WIDTH * (self.held(at) - self.start) / length)


@dataclass(frozen=True)
class Mark:
    """The worst of the events at one place of the slider."""

    x: int
    severity: str


def moment(text: str) -> float | None:
    """Seconds since 1970 of an RFC 3339 time or of such seconds; None for anything else."""
    try:
        parsed = parse_datetime(text)
        if parsed is None:
            number = float(text)
            return number if math.isfinite(number) and 0 <= number < 1e11 else None
    except ValueError:
        return None
    aware = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
    return aware.timestamp()


def span_of(incident: Incident, recorded: Sequence[datetime], last: datetime) -> Span:
    """From the opening to the last that is known, or to now while it is not resolved."""
    start = min([incident.created_at, *recorded[:1]])
    end = max([last, *recorded[-1:]]) if incident.is_resolved else timezone.now()
    return Span(math.floor(start.timestamp()), math.ceil(max(start, end).timestamp()))


def marks_of(events: Sequence[tuple[datetime, str]], span: Span) -> list[Mark]:
    worst: dict[int, str] = {}
    order = Severity.values.index
    for recorded_at, severity in events:
        x = span.place(recorded_at.timestamp())
        worst[x] = max(worst.get(x, severity), severity, key=order)
    return [Mark(x, severity) for x, severity in sorted(worst.items())]


def neighbours(recorded: Sequence[datetime], at: int) -> tuple[int | None, int | None]:
    """The seconds of the events before and after `at`."""
    seconds = sorted({math.ceil(moment.timestamp()) for moment in recorded})
    before = [second for second in seconds if second < at]
    after = [second for second in seconds if second > at]
    return (before[-1] if before else None), (after[0] if after else None)


@require_GET
@role_required(Role.VIEWER)
def replay(request: HttpRequest, reference: str) -> HttpResponse:
    """`?at=` is an RFC 3339 time or seconds since 1970; the opening, when left out. A moment
    outside of the incident's time is brought to its beginning or end."""
    try:
        found = Incident.objects.by_reference(reference)
    except Incident.DoesNotExist:
        raise Http404(f"No incident {reference[:100]}") from None
    asked = request.GET.get("at", "").strip()
    wanted = moment(asked) if asked else 0.0
    problem = "" if wanted is not None else f"“{asked[:60]}” is not a time."
    context = page_of_moment(found, wanted or 0.0)
    context["problem"] = problem
    status = 400 if problem else 200
    return render(request, "timeline/replay.html", context, status=status)


def page_of_moment(incident: Incident, wanted: float) -> dict[str, Any]:
    events = list(
        events_of(incident).order_by("recorded_at").values_list("recorded_at", "severity")[:MARKS]
    )
    events += [(row.at, Severity.INFO.value) for row in after_sealing(incident)]
    recorded = sorted(recorded_at for recorded_at, _severity in events)
    last = TimelineEvent.objects.filter(incident=incident).order_by("-seq").first()
    span = span_of(incident, recorded, last.recorded_at if last else incident.created_at)
    at = span.held(wanted)
    earlier, later = neighbours(recorded, at)
    replayed = {
        "at": at,
        "span": span,
        "width": WIDTH,
        "marks": marks_of(events, span),
        "place": span.place(at),
        "earlier": earlier,
        "later": later,
        "starts_at": datetime.fromtimestamp(span.start, UTC),
        "ends_at": datetime.fromtimestamp(span.end, UTC),
    }
    return {**page_of(incident, datetime.fromtimestamp(at, UTC)), "replay": replayed}
