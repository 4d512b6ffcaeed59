"""The Django admin behind the product's own sign-in, open to the role admin."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from accounts.models import Role
from accounts.permissions import role_required


class StudioAdminSite(AdminSite):
    site_header = site_title = "Reliability Studio"
    index_title = "Administration"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and request.user.has_role(Role.ADMIN)

    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """The page everybody signs in on; who is signed in already lacks the role."""
        if request.user.is_authenticated:
            return role_required(Role.ADMIN)(lambda request: HttpResponse())(request)
        return redirect_to_login(request.GET.get("next", "/admin/"))
