"""Included at api/auth/."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("register", api.Register.as_view(), name="auth-register"),
    path("login", api.Login.as_view(), name="auth-login"),
    path("refresh", api.Refresh.as_view(), name="auth-refresh"),
    path("logout", api.Logout.as_view(), name="auth-logout"),
    path("me", api.Me.as_view(), name="auth-me"),
]
