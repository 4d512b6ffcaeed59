"""Login, logout, registration and one's own profile."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as open_session
from django.contrib.auth import logout as close_session
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.forms import IssueTokenForm, LoginForm, RegisterForm, TimeZoneForm
from accounts.models import ApiToken, Role, User
from accounts.permissions import role_required
from accounts.registering import issue_token, register
from accounts.signing_in import BadCredentialsError, LockedError, sign_in

BACKEND = "accounts.backends.ThrottledBackend"
member = role_required(Role.VIEWER)


def next_url(request: HttpRequest) -> str:
    """Where to go after login: `next` when it is a page of ours, else the board."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else settings.LOGIN_REDIRECT_URL


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    if request.method == "GET" and request.user.is_authenticated:
        return redirect(next_url(request))
    form = LoginForm(request.POST or None)
    status, headers = 200, {}
    if request.method == "POST" and form.is_valid():
        try:
            open_session(request, sign_in(request, **form.cleaned_data), backend=BACKEND)
            return redirect(next_url(request))
        except BadCredentialsError as error:
            form.add_error(None, str(error))
        except LockedError as error:
            status, headers = 429, {"Retry-After": str(error.seconds)}
            form.add_error(None, str(error))
    context = {"form": form, "next": next_url(request)}
    response = render(request, "accounts/login.html", context, status=status)
    for name, value in headers.items():
        response.headers[name] = value
    return response


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    close_session(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "POST"])
def registration(request: HttpRequest) -> HttpResponse:
    if not settings.REGISTRATION_OPEN:
        return render(request, "accounts/register.html", status=403)
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = register(
                username=form.cleaned_data["username"],
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password1"],
            )
        except ValidationError as error:
            form.add_error(None, error.messages[0])
        else:
            open_session(request, user, backend=BACKEND)
            return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "accounts/register.html", {"form": form})


def profile_page(
    request: HttpRequest,
    *,
    zone: TimeZoneForm | None = None,
    issuing: IssueTokenForm | None = None,
    plain: str = "",
) -> HttpResponse:
    user = cast(User, request.user)
    context = {
        "zone": zone or TimeZoneForm(instance=user),
        "issuing": issuing or IssueTokenForm(user=user),
        "tokens": user.api_tokens.filter(revoked_at=None),
        "plain": plain,
    }
    return render(request, "accounts/profile.html", context)


@never_cache
@require_GET
@member
def profile(request: HttpRequest) -> HttpResponse:
    return profile_page(request)


@require_POST
@member
def set_time_zone(request: HttpRequest) -> HttpResponse:
    # a copy, or a refused value would show on this page as if it were saved
    person = User.objects.get(pk=cast(User, request.user).pk)
    form = TimeZoneForm(request.POST, instance=person)
    if not form.is_valid():
        return profile_page(request, zone=form)
    person.save(update_fields=["time_zone"])
    messages.success(request, "Time zone saved.")
    return redirect("profile")


@never_cache
@require_POST
@member
def create_token(request: HttpRequest) -> HttpResponse:
    """Answers the page itself, not a redirect: the plain token is kept nowhere."""
    user = cast(User, request.user)
    form = IssueTokenForm(request.POST, user=user)
    if not form.is_valid():
        return profile_page(request, issuing=form)
    _, plain = issue_token(user, **form.cleaned_data)
    return profile_page(request, plain=plain)


@require_POST
@member
def revoke_token(request: HttpRequest, pk: UUID) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, owner_id=request.user.pk)
    token.revoke()
    messages.success(request, f"Token {token.name} revoked.")
    return redirect("profile")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@member
def password(request: HttpRequest) -> HttpResponse:
    """A new password ends every other session and API login of the user."""
    form = PasswordChangeForm(cast(User, request.user), request.POST or None)
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, "Password changed; other logins have ended.")
        return redirect("profile")
    return render(request, "accounts/password.html", {"form": form})
