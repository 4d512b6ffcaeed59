"""What a role or a token's scope may do, on the API and on pages alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.models import ApiToken, MachineUser, Role, Scope, User

SCOPE_FOR = {Role.VIEWER: Scope.READ, Role.RESPONDER: Scope.WRITE, Role.ADMIN: Scope.ADMIN}
View = Callable[..., HttpResponse]


def required_role(request: Request, view: Any) -> Role:
    """`required_roles[action or METHOD]`, else `required_role`, else by the method's safety."""
    by_name: dict[str, Role] = getattr(view, "required_roles", {})
    for name in (getattr(view, "action", None), request.method):
        if name in by_name:
            return by_name[name]
    everywhere: Role | None = getattr(view, "required_role", None)
    if everywhere is not None:
        return everywhere
    return Role.VIEWER if request.method in SAFE_METHODS else Role.RESPONDER


class RolePermission(BasePermission):
    """The default of every API view.

    People need the role; tokens need the scope too: `required_scope` of the view, else the one
    that matches the role (read, write, admin). A token never does more than its owner; only
    one without an owner does what its scope says, and that is intake alone.
    """

    message = ""
    code = "permission_denied"

    def has_permission(self, request: Request, view: Any) -> bool:
        user = cast("User | MachineUser | None", request.user)
        if user is None or not user.is_authenticated:
            return False
        role = required_role(request, view)
        if isinstance(request.auth, ApiToken):
            scope: str = getattr(view, "required_scope", None) or SCOPE_FOR[role]
            if not request.auth.allows(scope):
                self.code = "scope_missing"
                self.message = f"The API token lacks the scope {Scope(scope).value!r}."
                return False
            if isinstance(user, MachineUser):
                return True
        if not user.has_role(role):
            self.code = "role_too_low"
            self.message = f"This needs the role {role.value!r}."
            return False
        return True


def role_required(role: Role) -> Callable[[View], View]:
    """For pages: anonymous users go to the login page, too low a role gets a 403 page."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not request.user.has_role(role):
                return render(request, "accounts/forbidden.html", {"role": role}, status=403)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
