"""Who is asking, from `Authorization: Bearer`: an access JWT or an API token."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens
from accounts.models import TOKEN_MARK, ApiToken, MachineUser, User


class BearerAuthentication(BaseAuthentication):
    """Sets `request.auth` to the ApiToken or the decoded AccessToken.

    Everything but the identity is read from the database, never from claims: an inactive user,
    a new password or a logout ends access tokens at once.
    """

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    def authenticate(
        self, request: Request
    ) -> tuple[User | MachineUser, ApiToken | AccessToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("The Authorization header is not `Bearer <token>`.")
        try:
            plain = parts[1].decode("ascii")
        except UnicodeDecodeError as error:
            raise AuthenticationFailed("The token is not valid.") from error
        if plain.startswith(TOKEN_MARK):
            return self._api_token(plain)
        try:
            access = AccessToken(plain)  # type: ignore[arg-type]  # stubs want a Token
        except (TokenError, ValueError, OverflowError) as error:
            raise AuthenticationFailed("The access token is not valid or has expired.") from error
        family = tokens.family_of(access)
        if family is None or not family.is_live:
            raise AuthenticationFailed("The access token has been revoked.")
        return family.user, access

    def _api_token(self, plain: str) -> tuple[User | MachineUser, ApiToken]:
        token = ApiToken.objects.find(plain)
        if token is None:
            raise AuthenticationFailed("The API token is not valid, has expired or was revoked.")
        token.note_use()
        return token.owner or MachineUser(token), token
