"""Included at the root."""

from django.urls import path

from accounts import pages
from accounts.audit.pages import audit_page

urlpatterns = [
    path("login", pages.login, name="login"),
    path("logout", pages.logout, name="logout"),
    path("register", pages.registration, name="register"),
    path("audit", audit_page, name="audit"),
    path("profile", pages.profile, name="profile"),
    path("profile/time-zone", pages.set_time_zone, name="profile-time-zone"),
    path("profile/password", pages.password, name="profile-password"),
    path("profile/tokens", pages.create_token, name="profile-tokens"),
    path("profile/tokens/<uuid:pk>/revoke", pages.revoke_token, name="profile-token-revoke"),
]
