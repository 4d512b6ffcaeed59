"""REST: /api/auth/* and /api/tokens."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.tokens import AccessToken

from accounts import registering, tokens
from accounts.authentication import BearerAuthentication
from accounts.models import ApiToken, Role, Scope, User
from accounts.problems import Problem
from accounts.serializers import (
    ApiTokenSerializer,
    IssuedTokenSerializer,
    LoginSerializer,
    LogoutSerializer,
    MeSerializer,
    PairSerializer,
    ProblemSerializer,
    RefreshSerializer,
    RegisterSerializer,
)
from accounts.signing_in import BadCredentialsError, LockedError, sign_in

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="api"'}


class PublicView(APIView):
    """No credential is read, so that an expired one in the header harms nobody."""

    authentication_classes: list[type[Any]] = []
    permission_classes = [AllowAny]


def pair(issued: tokens.Pair) -> Response:
    return Response(asdict(issued), headers={"Cache-Control": "no-store"})


class Register(PublicView):
    @extend_schema(
        request=RegisterSerializer,
        responses={201: MeSerializer, 400: ProblemSerializer, 403: ProblemSerializer},
    )
    def post(self, request: Request) -> Response:
        if not settings.REGISTRATION_OPEN:
            raise Problem(403, "registration-closed", "Ask an administrator for an account.")
        body = RegisterSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = registering.register(**body.validated_data)
        return Response(MeSerializer(user).data, status=201)


class Login(PublicView):
    @extend_schema(
        request=LoginSerializer,
        responses={
            200: PairSerializer,
            400: ProblemSerializer,
            401: ProblemSerializer,
            429: ProblemSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        body = LoginSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            user = sign_in(request._request, **body.validated_data)
        except BadCredentialsError as error:
            raise Problem(401, "bad-credentials", str(error), headers=CHALLENGE) from error
        except LockedError as error:
            wait = {"Retry-After": str(error.seconds)}
            raise Problem(429, "too-many-attempts", str(error), headers=wait) from error
        return pair(tokens.issue(user))


class Refresh(PublicView):
    @extend_schema(
        request=RefreshSerializer,
        responses={
            200: PairSerializer,
            400: ProblemSerializer,
            401: ProblemSerializer,
            409: ProblemSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """409 `refresh-superseded`: another tab was faster; use the pair it received."""
        body = RefreshSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            return pair(tokens.rotate(body.validated_data["refresh_token"]))
        except tokens.RefreshRefusedError as error:
            raise Problem(401, "refresh-refused", str(error), headers=CHALLENGE) from error
        except tokens.RefreshSupersededError as error:
            raise Problem(409, "refresh-superseded", str(error)) from error


class Logout(PublicView):
    @extend_schema(
        request=LogoutSerializer,
        responses={204: None, 400: ProblemSerializer, 401: ProblemSerializer},
    )
    def post(self, request: Request) -> Response:
        """Ends the login of the body's refresh token, else of the bearer's access token."""
        body = LogoutSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if raw := body.validated_data.get("refresh_token"):
            try:
                tokens.revoke(raw)
            except tokens.RefreshRefusedError as error:
                raise Problem(401, "refresh-refused", str(error), headers=CHALLENGE) from error
            return Response(status=204)
        bearer = BearerAuthentication().authenticate(request)
        if bearer is None:
            raise Problem(
                401,
                "not-authenticated",
                "Send a refresh_token or an access token.",
                headers=CHALLENGE,
            )
        if not isinstance(bearer[1], AccessToken):
            raise Problem(400, "not-a-login", "An API token is revoked at /api/tokens.")
        family = tokens.family_of(bearer[1])
        if family is not None:
            family.revoke("logout")
        return Response(status=204)


class Me(APIView):
    @extend_schema(responses={200: MeSerializer, 401: ProblemSerializer})
    def get(self, request: Request) -> Response:
        return Response(MeSerializer(request.user).data)


class ApiTokenViewSet(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """One's own tokens; administrators see and revoke everybody's.

    An API token needs the scope admin here, or it could issue itself a mightier one.
    """

    queryset = ApiToken.objects.select_related("owner")
    serializer_class = ApiTokenSerializer
    lookup_value_converter = "uuid"
    required_role = Role.VIEWER
    required_scope = Scope.ADMIN

    def get_queryset(self) -> QuerySet[ApiToken]:
        user = cast(User, self.request.user)
        everyone = super().get_queryset()
        return everyone if user.has_role(Role.ADMIN) else everyone.filter(owner_id=user.pk)

    @extend_schema(
        request=ApiTokenSerializer,
        responses={201: IssuedTokenSerializer, 400: ProblemSerializer},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The answer's `token` is the plain text, shown this once."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        token, plain = registering.issue_token(cast(User, request.user), **body.validated_data)
        answer = {**ApiTokenSerializer(token).data, "token": plain}
        return Response(answer, status=201, headers={"Cache-Control": "no-store"})

    def perform_destroy(self, instance: ApiToken) -> None:
        instance.revoke()
