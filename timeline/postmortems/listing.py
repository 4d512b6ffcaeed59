"""The list of postmortems: the newest revision of each incident, by state and words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from incidents.models.incident import REFERENCE
from timeline.postmortems.models import Postmortem, PostmortemSection

PAGE_SIZE = 50


@dataclass(frozen=True)
class Page:
    """`older` is the cursor of the next page, "" on the last."""

    postmortems: list[Postmortem]
    older: str


def newest_revisions() -> QuerySet[Postmortem]:
    last = Postmortem.objects.filter(incident=OuterRef("incident")).order_by("-revision")
    return (
        Postmortem.objects.filter(pk=Subquery(last.values("pk")[:1]))
        .select_related("incident", "published_by", "requested_by", "approved_by")
        .defer("markdown")
        .order_by("-created_at", "-id")
    )


def chosen(*, state: str = "", q: str = "") -> QuerySet[Postmortem]:
    """Of a state, and with the words in its incident's title, its sections or as INC-number."""
    rows = newest_revisions()
    if state:
        rows = rows.filter(state=state)
    if q:
        told = Q(text__icontains=q) | Q(text=None, drafted__icontains=q)
        sections = PostmortemSection.objects.filter(told)
        found = Q(incident__title__icontains=q) | Q(pk__in=sections.values("postmortem"))
        if number := REFERENCE.fullmatch(q):
            found |= Q(incident__number=int(number[1]))
        rows = rows.filter(found)
    return rows


def postmortem_page(*, state: str = "", q: str = "", older: str = "") -> Page:
    """At most PAGE_SIZE, newest first. Raises ValueError for a cursor that is not ours."""
    rows = chosen(state=state, q=q)
    if older:
        at, _, pk = older.rpartition("_")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(older)
        rows = rows.filter(Q(created_at__lt=moment) | Q(created_at=moment, pk__lt=UUID(pk)))
    found = list(rows[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    return Page(found, f"{found[-1].created_at.isoformat()}_{found[-1].pk.hex}" if more else "")
