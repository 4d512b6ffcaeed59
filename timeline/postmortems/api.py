"""REST: /api/incidents/{reference}/postmortem and its way to being published; /api/postmortems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.problems import Problem
from accounts.serializers import ProblemSerializer
from incidents.api import actor_of, incident_of
from timeline.postmortems import drafts, editing, review
from timeline.postmortems.document import as_markdown
from timeline.postmortems.listing import chosen
from timeline.postmortems.models import Postmortem, PostmortemAction, PostmortemSection
from timeline.postmortems.serializers import (
    PostmortemActionSerializer,
    PostmortemCommentSerializer,
    PostmortemNewActionSerializer,
    PostmortemSectionSerializer,
    PostmortemSerializer,
    PostmortemSummarySerializer,
    PostmortemWriteSerializer,
)
from timeline.reporting.api import PROBLEMS, VersionQuery, markdown_file

REFUSALS = {**PROBLEMS, 409: ProblemSerializer}
REVISION = OpenApiParameter("version", int, description="A revision; the newest when left out.")


def postmortem_of(reference: str, request: Request | None = None) -> Postmortem:
    query = VersionQuery(data=request.query_params if request is not None else {})
    query.is_valid(raise_exception=True)
    rows = Postmortem.objects.filter(incident=incident_of(reference)).select_related(
        "incident", "published_by"
    )
    if "version" in query.validated_data:
        rows = rows.filter(revision=query.validated_data["version"])
    found = rows.order_by("-revision").first()
    if found is None:
        raise NotFound("There is no such postmortem: it is drafted when the incident is resolved.")
    return found


def whole(postmortem: Postmortem) -> dict[str, Any]:
    rows = Postmortem.objects.select_related("incident", "published_by").prefetch_related(
        "sections__edited_by", "actions", "steps__by"
    )
    return dict(PostmortemSerializer(rows.get(pk=postmortem.pk)).data)


class refusals:  # noqa: N801  (reads as a clause: `with refusals():`)
    """Turns what is refused into 409 and 412 answers."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, editing.Published):
            raise Problem(409, "postmortem-published", str(error)) from error
        if isinstance(error, review.StepRefused):
            raise Problem(409, "step-refused", str(error)) from error
        if isinstance(error, drafts.NotSealed):
            raise Problem(409, "not-resolved", str(error)) from error
        if isinstance(error, editing.SectionConflict):
            raise Problem(
                412,
                "section-conflict",
                str(error),
                section=PostmortemSectionSerializer(error.theirs).data,
                yours=error.mine,
            ) from error
        if isinstance(error, PostmortemSection.DoesNotExist):
            raise ValidationError({"sections": "The postmortem has no such section."}) from error
        if isinstance(error, PostmortemAction.DoesNotExist):
            raise NotFound("The postmortem has no such action item.") from error


class PostmortemView(APIView):
    @extend_schema(
        operation_id="incidents_postmortem_read",
        parameters=[REVISION],
        responses={200: PostmortemSerializer, **PROBLEMS},
    )
    def get(self, request: Request, reference: str) -> Response:
        """The newest revision with its sections, action items and steps."""
        return Response(whole(postmortem_of(reference, request)))

    @extend_schema(
        operation_id="incidents_postmortem_write",
        request=PostmortemWriteSerializer,
        responses={200: PostmortemSerializer, **REFUSALS, 412: ProblemSerializer},
    )
    def put(self, request: Request, reference: str) -> Response:
        """Write sections, {name: {text, version}}: all or none.

        A version that is not the one that was read is a 412 with both texts; nothing is lost.
        """
        body = PostmortemWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        words = [
            editing.Words(name, given["text"], given["version"])
            for name, given in body.validated_data["sections"].items()
        ]
        postmortem = postmortem_of(reference)
        with refusals():
            editing.write(postmortem_id=postmortem.pk, words=words, actor=actor_of(request))
        return Response(whole(postmortem))

    @extend_schema(
        operation_id="incidents_postmortem_draft",
        request=None,
        responses={200: PostmortemSerializer, **REFUSALS},
    )
    def post(self, request: Request, reference: str) -> Response:
        """Draft it, or draft it again: people's words stay, a newer draft is offered beside."""
        with refusals():
            made = drafts.draft_now(incident=incident_of(reference), actor=actor_of(request))
        return Response(whole(made))


class PostmortemMarkdown(APIView):
    @extend_schema(
        operation_id="incidents_postmortem_markdown",
        parameters=[REVISION],
        responses={(200, "text/markdown"): OpenApiTypes.STR, **PROBLEMS},
    )
    def get(self, request: Request, reference: str) -> HttpResponseBase:
        """The postmortem as one Markdown file; a published one as it was published."""
        found = postmortem_of(reference, request)
        headers = {"X-Postmortem-State": found.state}
        if found.digest:
            headers["X-Postmortem-Digest"] = f"sha256:{found.digest}"
        name = f"{found.incident.reference}-postmortem.md"
        return markdown_file(as_markdown(found), name, headers)


Step = Callable[[Postmortem, Request, str], Postmortem]


def _revise(postmortem: Postmortem, request: Request, comment: str) -> Postmortem:
    return drafts.revise(incident=postmortem.incident, actor=actor_of(request))


def _request(postmortem: Postmortem, request: Request, comment: str) -> Postmortem:
    actor = actor_of(request)
    return review.request_review(postmortem_id=postmortem.pk, actor=actor, comment=comment)


def _approve(postmortem: Postmortem, request: Request, comment: str) -> Postmortem:
    actor = actor_of(request)
    return review.approve(postmortem_id=postmortem.pk, actor=actor, comment=comment)


def _send_back(postmortem: Postmortem, request: Request, comment: str) -> Postmortem:
    actor = actor_of(request)
    return review.send_back(postmortem_id=postmortem.pk, actor=actor, comment=comment)


def _publish(postmortem: Postmortem, request: Request, comment: str) -> Postmortem:
    return review.publish(postmortem_id=postmortem.pk, actor=actor_of(request))


STEPS: dict[str, Step] = {
    "request-review": _request,
    "approve": _approve,
    "send-back": _send_back,
    "publish": _publish,
    "revise": _revise,
}


class PostmortemStepView(APIView):
    @extend_schema(
        operation_id="incidents_postmortem_step",
        request=PostmortemCommentSerializer,
        parameters=[OpenApiParameter("step", str, OpenApiParameter.PATH, enum=list(STEPS))],
        responses={200: PostmortemSerializer, **REFUSALS},
    )
    def post(self, request: Request, reference: str, step: str) -> Response:
        """A step of its way; approving and sending back need a `comment`."""
        if step not in STEPS:
            raise NotFound(f"There is no step {step[:40]!r}: {', '.join(STEPS)}.")
        body = PostmortemCommentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refusals():
            found = STEPS[step](postmortem_of(reference), request, body.validated_data["comment"])
        return Response(whole(found))


class PostmortemActions(APIView):
    @extend_schema(
        operation_id="incidents_postmortem_add_action",
        request=PostmortemNewActionSerializer,
        responses={201: PostmortemActionSerializer, **REFUSALS},
    )
    def post(self, request: Request, reference: str) -> Response:
        """Add an action item."""
        body = PostmortemNewActionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refusals():
            made = editing.add_action(
                postmortem_id=postmortem_of(reference).pk,
                actor=actor_of(request),
                **body.validated_data,
            )
        return Response(PostmortemActionSerializer(made).data, status=201)


ACTS = ("task", "drop", "restore")


class PostmortemActionView(APIView):
    @extend_schema(
        operation_id="incidents_postmortem_act_on_action",
        request=None,
        parameters=[OpenApiParameter("act", str, OpenApiParameter.PATH, enum=list(ACTS))],
        responses={200: PostmortemActionSerializer, **REFUSALS},
    )
    def post(self, request: Request, reference: str, action_id: UUID, act: str) -> Response:
        """Make it a task of the incident, leave it out, or take it back in."""
        if act not in ACTS:
            raise NotFound(f"There is no {act[:40]!r}: {', '.join(ACTS)}.")
        given = {"postmortem_id": postmortem_of(reference).pk, "action_id": action_id}
        with refusals():
            if act == "task":
                action = review.make_task(**given, actor=actor_of(request))
            else:
                action = editing.drop_action(**given, dropped=act == "drop")
        return Response(PostmortemActionSerializer(action).data)


class PostmortemViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Postmortem]):
    """The newest revision of every postmortem; `?state=` and `?q=`."""

    serializer_class = PostmortemSummarySerializer
    queryset = Postmortem.objects.none()

    def get_queryset(self) -> QuerySet[Postmortem]:
        if getattr(self, "swagger_fake_view", False):
            return Postmortem.objects.none()
        given = self.request.query_params
        state = given.get("state", "")
        if state and state not in Postmortem.State.values:
            raise ValidationError({"state": f"Choose one of {', '.join(Postmortem.State.values)}."})
        return chosen(state=state, q=given.get("q", "")[:200])
