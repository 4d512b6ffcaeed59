"""The REST framework's way to a token in the path, for senders that have no headers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.authentication import BearerAuthentication
from accounts.models import ApiToken, MachineUser, User


class IntakeAuthentication(BearerAuthentication):
    """The bearer, or the token that the address ends in."""

    def authenticate(self, request: Request) -> tuple[User | MachineUser, Any] | None:
        match = request.resolver_match
        plain = match.kwargs.get("token") if match else None
        if plain is None:
            return super().authenticate(request)
        token = ApiToken.objects.find(plain)
        if token is None:
            raise AuthenticationFailed("The API token is not valid, has expired or was revoked.")
        token.note_use()
        return token.owner or MachineUser(token), token


class IntakeScheme(OpenApiAuthenticationExtension):
    target_class = IntakeAuthentication
    name = "intake"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token with the scope intake; the address may end in it instead.",
        }
