from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User

PAGES = [
    f"admin:{name}_changelist"
    for name in (
        "accounts_user",
        "accounts_apitoken",
        "incidents_incident",
        "incidents_service",
        "incidents_alert",
        "incidents_alertoccurrence",
        "incidents_delivery",
        "incidents_changeevent",
        "timeline_timelineevent",
        "correlation_analysis",
        "correlation_datasource",
    )
]


def signed_in(role: Role) -> Client:
    person = User.objects.create(username=role, email=f"{role}@example.com", role=role)
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_role_admin_may_open_every_list(page: str) -> None:
    assert signed_in(Role.ADMIN).get(reverse(page)).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER])
def test_other_roles_are_refused(role: Role) -> None:
    answer = signed_in(role).get("/admin/", follow=True)

    assert answer.status_code == 403


@pytest.mark.django_db
def test_strangers_are_sent_to_the_one_sign_in() -> None:
    answer = Client().get("/admin/", follow=True)

    assert answer.redirect_chain[-1][0].startswith("/login?next=")


@pytest.mark.django_db
def test_incidents_have_no_form_there() -> None:
    assert signed_in(Role.ADMIN).get("/admin/incidents/incident/add/").status_code == 403
