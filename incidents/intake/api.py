"""Where senders deliver: a durable write, then 202. Tokens need the scope `intake`.

The views are Django's own behind the REST framework's face, which describes them: its request,
negotiation and renderers would cost more than storing an alert does.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import TOKEN_MARK
from accounts.problems import problem
from incidents.catalogue.api import record_told
from incidents.intake import bodies, credentials, deliveries, events, grouping
from incidents.intake.authentication import IntakeAuthentication
from incidents.intake.overload import Overloaded, gate
from incidents.intake.proof import Unproven
from incidents.intake.serializers import (
    DeliveryAcceptedSerializer,
    PagerEventAcceptedSerializer,
    PagerEventSerializer,
    WebhookSerializer,
)
from incidents.models import AlertSource, Delivery
from incidents.serializers import ChangeSerializer

logger = logging.getLogger("studio.intake")
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="intake"'}
RETRY_AFTER_SECONDS = 5
LONGEST_TITLE = 500
View = Callable[..., HttpResponse]


class Impossible(Exception):
    """The request cannot be taken: `answer` says why."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class IntakeView(APIView):
    """One wire format; what its `post` takes and answers is described to the schema there."""

    kind: ClassVar[str]
    required_scope = "intake"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The request as Django has it, past the REST framework's own."""
        if request.method == "POST":
            return self.post(request, *args, **kwargs)
        refusal = problem(405, "method-not-allowed", "Deliveries are sent with POST.")
        refusal.headers["Allow"] = "POST"
        return refusal

    def post(self, request: HttpRequest, token: str | None = None) -> HttpResponse:
        """Everything a sender may be told, in the order in which it is cheap to know."""
        return _answered(lambda: self.receive(request, token))

    def receive(self, request: HttpRequest, token: str | None) -> HttpResponse:
        """Authenticate, then read, then store."""
        bodies.announced(request)
        slug = self.slug_of(request)
        sender = credentials.recall(request, token, slug)
        if sender is not None:
            try:
                return self.take_raw(sender, slug, request)
            except Unproven:
                pass  # revoked, changed, or not worth storing: ask who it is
        return self.take_raw(credentials.authenticate(request, token, slug), slug, request)

    def take_raw(self, sender: credentials.Sender, slug: str, request: HttpRequest) -> HttpResponse:
        raw = bodies.read(request)
        over = bodies.is_over(raw)
        try:
            body = None if over else deliveries.read(raw)
        except deliveries.Unreadable as error:
            if sender.proof is not None:
                raise Unproven from error
            return problem(400, "parse-error", f"{error}{_encoding(request)}")
        if over and sender.proof is not None:
            raise Unproven
        return self.take(sender, slug, body, deliveries.as_text(raw), over=over)

    def take(
        self, sender: credentials.Sender, slug: str, body: Any, text: str, *, over: bool = False
    ) -> HttpResponse:
        """Store it; of one that is `over` the limit keep as much as was read."""
        source = sender.source_named(slug, self.kind)
        if over:
            delivery = deliveries.reject_length(source, self.kind, text)
        else:
            delivery = deliveries.take(source, self.kind, body, text, proof=sender.proof)
        if delivery.state == Delivery.State.QUEUED:
            grouping.wake(delivery.pk)
        return self.accepted(delivery, body)

    def accepted(self, delivery: Delivery, body: Any) -> HttpResponse:
        answer: dict[str, Any] = {"delivery": str(delivery.pk), "alerts": delivery.alert_count}
        if delivery.state == Delivery.State.REJECTED:
            answer["rejected"] = delivery.error
        if delivery.refused:
            answer["refused"] = delivery.refused.splitlines()
        return _json(answer)

    def slug_of(self, request: HttpRequest) -> str:
        """The name of the source for a token that is bound to none: `?source=`, else the format's.

        Raises Impossible for one that is no slug.
        """
        asked = request.META.get("QUERY_STRING", "")
        slug = _named(asked) if asked else None
        if slug is None:
            return self.kind
        bare = slug.replace("-", "").replace("_", "")
        if bare.isalnum() and slug.isascii() and len(slug) < 64:
            return slug
        said = "Use letters, digits, dashes and underscores."
        errors = {"source": [said]}
        raise Impossible(problem(400, "invalid", f"source: {said}", errors=errors))


@lru_cache(maxsize=1024)
def _named(asked: str) -> str | None:
    """The source of a query string; a sender's is the same each time."""
    named: str | None = QueryDict(asked).get("source")
    return named


class AlertmanagerView(IntakeView):
    """Alertmanager's webhook v4, each alert by its own status; sending again changes nothing."""

    kind = AlertSource.Kind.ALERTMANAGER

    @extend_schema(request=WebhookSerializer, responses={202: DeliveryAcceptedSerializer})
    def post(self, request: HttpRequest, token: str | None = None) -> HttpResponse:
        return super().post(request, token)


class GrafanaView(IntakeView):
    """Grafana's alerting webhook: Alertmanager's shape and more."""

    kind = AlertSource.Kind.GRAFANA

    @extend_schema(request=WebhookSerializer, responses={202: DeliveryAcceptedSerializer})
    def post(self, request: HttpRequest, token: str | None = None) -> HttpResponse:
        return super().post(request, token)


class EventsView(IntakeView):
    """PagerDuty's Events API v2; `routing_key` may be the token."""

    kind = AlertSource.Kind.EVENTS

    @extend_schema(request=PagerEventSerializer, responses={202: PagerEventAcceptedSerializer})
    def post(self, request: HttpRequest, token: str | None = None) -> HttpResponse:
        return super().post(request, token)

    def receive(self, request: HttpRequest, token: str | None) -> HttpResponse:
        if token or credentials.bearer(request):
            return super().receive(request, token)
        bodies.announced(request)
        raw = bodies.read(request)
        if bodies.is_over(raw):  # whose it is stands in it
            raise bodies.TooLarge
        try:
            body = deliveries.read(raw)
        except deliveries.Unreadable:
            body = None
        key = events.routing_key(body)
        if key is None or not key.startswith(TOKEN_MARK):
            raise credentials.Refused(
                401, "not-authenticated", "Send an intake token as the bearer or the routing_key."
            )
        slug = self.slug_of(request)
        sender = credentials.authenticate(request, key, slug)
        # kept hashed only: the delivery is for many eyes
        text = deliveries.as_text(raw).replace(key, f"{key[:10]}…")
        return self.take(sender, slug, body, text)

    def accepted(self, delivery: Delivery, body: Any) -> HttpResponse:
        if delivery.state == Delivery.State.REJECTED:
            return _json({"status": "rejected", "message": delivery.error, "dedup_key": None})
        key = events.dedup_key(body)
        return _json({"status": "success", "message": "Event processed", "dedup_key": key})


class ChangesView(APIView):
    """One change: {service, kind deploy|commit|config|flag|scale, at, title?, ref, diff, ...}."""

    required_scope = "intake"
    authentication_classes = [IntakeAuthentication]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As deliveries: not read when it is too large, and 503 when it cannot be stored."""
        return _answered(lambda: self.receive(request, *args, **kwargs))

    def receive(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        bodies.announced(request)
        if bodies.is_over(bodies.read(request)):
            raise bodies.TooLarge
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]  # no stream

    @extend_schema(request=ChangeSerializer, responses={202: ChangeSerializer})
    def post(self, request: Request, token: str | None = None) -> Response:
        data = dict(request.data) if isinstance(request.data, dict) else {}
        said = data.get("description") or data.get("ref") or "Change"
        data.setdefault("title", said[:LONGEST_TITLE] if isinstance(said, str) else said)
        recorded = record_told(data, "intake")
        return Response(ChangeSerializer(recorded.change).data, status=status.HTTP_202_ACCEPTED)


def _answered(receive: Callable[[], HttpResponse]) -> HttpResponse:
    """What `receive` answers, let in when there is room; each refusal as a problem."""
    try:
        with gate.entered():
            return receive()
    except Overloaded as reason:
        return _later("overloaded", f"There are {reason}; send it again.")
    except bodies.TooLarge as large:
        return problem(413, "body-too-large", str(large))
    except bodies.Unread as unread:
        return problem(400, "parse-error", str(unread))
    except credentials.Refused as refused:
        headers = CHALLENGE if refused.status == 401 else {}
        return problem(refused.status, refused.slug, refused.detail, headers=headers)
    except Impossible as impossible:
        return impossible.answer
    except (OperationalError, InterfaceError) as error:
        # nothing was stored: the sender still has it
        logger.warning("the database refused a delivery: %s", error)
        return _later("database-unavailable", "Nothing was stored; send it again.")


def _encoding(request: HttpRequest) -> str:
    """What a sender should know of a body that is no JSON because it is packed."""
    given = request.META.get("HTTP_CONTENT_ENCODING", "")
    return f". Its Content-Encoding is {given[:40]!r}: send it as it is." if given else ""


def _later(slug: str, said: str) -> HttpResponse:
    return problem(503, slug, said, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _json(answer: dict[str, Any]) -> HttpResponse:
    return HttpResponse(
        json.dumps(answer), status=status.HTTP_202_ACCEPTED, content_type="application/json"
    )


def addressed(view: View) -> View:
    """The same view where the address ends in the token; the schema tells of the other one."""

    @csrf_exempt
    def with_token(request: HttpRequest, token: str) -> HttpResponse:
        return view(request, token=token)

    return with_token


alertmanager = AlertmanagerView.as_view()
grafana = GrafanaView.as_view()
pager_events = EventsView.as_view()
changes = ChangesView.as_view()
