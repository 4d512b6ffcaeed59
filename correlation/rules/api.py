"""REST API of the cause rules: read, manage, try on past incidents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Role, User
from accounts.problems import Problem
from correlation.models import RuleChange
from correlation.rules import edits as rule_edits
from correlation.rules.documents import BadRule
from correlation.rules.serializers import (
    DryRunRequestSerializer,
    RuleChangeSerializer,
    RuleEditSerializer,
    RuleSerializer,
    RuleWriteSerializer,
    TrialsSerializer,
)
from correlation.rules.shelf import Shelved, shelf
from correlation.rules.trials import edited, try_out
from incidents.api import expected_version

Answer = TypeVar("Answer")
NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="The rule's name.")
RECENT_CHANGES = 100


@extend_schema(parameters=[NAME])
class RuleViewSet(viewsets.ViewSet):
    """Cause rules, shipped and the users' own, in the order in which they are tried.

    A shipped rule can be switched off, moved, or replaced by one of its name; DELETE gives it its
    place back.
    """

    lookup_field = "name"
    lookup_value_converter = "slug"
    serializer_class = RuleSerializer
    required_roles = {
        "create": Role.ADMIN,
        "partial_update": Role.ADMIN,
        "destroy": Role.ADMIN,
        "dry_run": Role.RESPONDER,
    }

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """What the browsable API makes its form of."""
        shapes = {"create": RuleWriteSerializer, "dry_run": DryRunRequestSerializer}
        name = "create" if self.action == "list" else self.action or ""
        return shapes.get(name, RuleEditSerializer)(*args, **kwargs)

    @extend_schema(responses=RuleSerializer(many=True), parameters=[])
    def list(self, request: Request) -> Response:
        rows = [RuleSerializer(one).data for one in shelf()]
        return Response({"next": None, "previous": None, "results": rows})

    @extend_schema(responses=RuleSerializer)
    def retrieve(self, request: Request, name: str) -> Response:
        return _answer(_shelved(name))

    @extend_schema(request=RuleWriteSerializer, responses={201: RuleSerializer}, parameters=[])
    def create(self, request: Request) -> Response:
        given = _valid(RuleWriteSerializer, request)
        row = _refusing(lambda: rule_edits.create(actor=_person(request), **given))
        response = _answer(_shelved(row.name), status=201)
        response["Location"] = request.build_absolute_uri(f"{request.path}/{row.name}")
        return response

    @extend_schema(request=RuleEditSerializer, responses=RuleSerializer)
    def partial_update(self, request: Request, name: str) -> Response:
        changes, version = _valid(RuleEditSerializer, request), expected_version(request)
        _refusing(
            lambda: rule_edits.edit(
                name=name, changes=changes, actor=_person(request), version=version
            )
        )
        return _answer(_shelved(name))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        found = _shelved(name)
        if found.row is None:
            detail = "A shipped rule cannot be deleted; disable it instead."
            raise Problem(409, "shipped-rule", detail)
        version = expected_version(request)
        _refusing(lambda: rule_edits.remove(name=name, actor=_person(request), version=version))
        return Response(status=204)

    @extend_schema(responses=RuleChangeSerializer(many=True))
    @action(detail=True)
    def history(self, request: Request, name: str) -> Response:
        """Who changed it and how, newest first, at most 100; also of a rule that is gone."""
        rows = list(RuleChange.objects.filter(rule=name).select_related("actor")[:RECENT_CHANGES])
        if not rows:
            _shelved(name)
        return Response(RuleChangeSerializer(rows, many=True).data)

    @extend_schema(request=DryRunRequestSerializer, responses=TrialsSerializer, parameters=[])
    @action(detail=False, methods=["post"], url_path="dry-run")
    def dry_run(self, request: Request) -> Response:
        """Rank the newest incidents again with the rule as given; nothing is written.

        Answers within about ten seconds; what was not reached is counted in `left_out`.
        """
        given = _valid(DryRunRequestSerializer, request)
        limit, name = given.pop("limit"), given.pop("name")
        return Response(
            TrialsSerializer(_refusing(lambda: try_out(edited(name, given), limit=limit))).data
        )


class RuleAliasViewSet(RuleViewSet):
    """The same as /api/correlation-rules."""


def _shelved(name: str) -> Shelved:
    for one in shelf():
        if one.name == name:
            return one
    raise NotFound(f"There is no rule {name[:63]!r}.")


def _answer(one: Shelved, status: int = 200) -> Response:
    return Response(RuleSerializer(one).data, status=status, headers={"ETag": f'"{one.version}"'})


def _valid(shape: type[RuleEditSerializer], request: Request) -> dict[str, Any]:
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _refusing(act: Callable[[], Answer]) -> Answer:
    """`act()`, with what it refuses as the API's answers."""
    try:
        return act()
    except BadRule as error:
        raise ValidationError(by_field(error)) from error
    except rule_edits.NoSuchRule as error:
        raise NotFound(str(error)) from error
    except rule_edits.VersionConflict as error:
        raise Problem(412, "version-conflict", str(error), version=error.version) from error


def by_field(error: BadRule) -> dict[str, list[str]]:
    """Messages by the path in the body: `definition.any.0.log`."""
    own = ("name", "definition")
    return {
        path if path in own else f"definition.{path}": said for path, said in error.problems.items()
    }


def _person(request: Request) -> User | None:
    return request.user if isinstance(request.user, User) else None
