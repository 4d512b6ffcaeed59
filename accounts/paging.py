"""Lists of the API: newest first, by cursor, {next, previous, results}."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class NewestFirst(CursorPagination):
    """Fifty rows a page, `?limit=` 1 to 200 (more is cut to 200).

    A view with other columns sets `paging_order`, for example ("-started_at", "-id"). A limit
    that is no positive number is a 400, a cursor that is not ours a 404.
    """

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = ("-created_at", "-id")

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        return tuple(getattr(view, "paging_order", self.ordering))

    def get_page_size(self, request: Request) -> int:
        raw = request.query_params.get("limit")
        if raw is None:
            return self.page_size
        if not (raw.isascii() and raw.isdecimal() and len(raw) < 10 and int(raw) > 0):
            raise ValidationError({"limit": [f"{raw[:20]!r} is not a positive number."]})
        return min(int(raw), self.max_page_size)

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: Any = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (DjangoValidationError, ValueError) as error:
            # a well-formed cursor whose position is no value of the column
            raise NotFound(self.invalid_cursor_message) from error
