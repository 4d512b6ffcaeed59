"""Whoever changes something at an address leaves an entry: who, what, before, after, from where."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import responses
from django.contrib import admin
from django.test import RequestFactory
from pytest_django import Settings

from accounts.audit.chaining import chain_drafts
from accounts.audit.models import AuditEntry
from accounts.audit.watching import watched
from accounts.models import Role, User
from tests.access.addresses import ADMIN, METHODS
from tests.access.deeds import of_incidents, of_records, of_settings, of_slos
from tests.access.deeds.deed import Deed
from tests.access.permissions_table import table

DEEDS = (*of_incidents.DEEDS, *of_settings.DEEDS, *of_records.DEEDS, *of_slos.DEEDS)
LAB = "http://lab.test"
TRIES = "it tries something out and keeps nothing"
MACHINES = "machines send there; the delivery that is kept says who and when"
NO_ENTRY = {
    "POST /alerts/rules/test": TRIES,
    "POST /notifications/rules/trial": TRIES,
    "POST /rules/dry-run": TRIES,
    "POST /api/correlation-rules/dry-run": TRIES,
    "POST /api/grouping-rules/test": TRIES,
    "POST /api/notification-rules/test": TRIES,
    "POST /api/rules/dry-run": TRIES,
    "POST /datasources/{slug}/doctor": TRIES,
    "POST /api/slos/check": TRIES,
    "POST /slos/check": TRIES,
    "POST /slos/policies": "writes nothing: it fills a form",
    "POST /api/auth/refresh": "the login goes on; its beginning and its end are entries",
    **{
        f"POST /api/intake/{kind}{ending}": MACHINES
        for kind in ("alertmanager", "changes", "events", "grafana")
        for ending in ("", "/{token}")
    },
    **{f"{method} /api/{{rest}}": "there is nothing" for method in METHODS[1:]},
}
# what an entry says, by the last word of its action
BEFORE_AND_AFTER = {
    "created": (False, True),
    "changed": (True, True),
    "status_changed": (True, True),
    "deleted": (True, False),
}


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create(
        username="ada", email="ada@example.com", role=Role.ADMIN, password="!"
    )


@pytest.fixture
def open_house(settings: Settings) -> Iterator[None]:
    """Anybody may register, and a lab answers; nothing else does."""
    settings.REGISTRATION_OPEN, settings.LAB_URL = True, LAB
    with responses.RequestsMock(assert_all_requests_are_fired=False) as outside:
        outside.post(re.compile(f"{LAB}/.*"), json={})
        yield


@pytest.mark.usefixtures("open_house")
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.place)
def test_deed_leaves_an_entry(deed: Deed, ada: User) -> None:
    answer = deed.do(ada)

    chain_drafts()
    entries = AuditEntry.objects.filter(request_id=answer["X-Request-ID"])
    assert answer.status_code < 400, answer.content.decode()[:2000]
    assert deed.leaves in [entry.action for entry in entries]
    assert {(entry.actor_name, entry.address) for entry in entries} == {(deed.who, "127.0.0.1")}
    assert all(entry.via.startswith(f"{deed.method} ") for entry in entries)
    said = {entry.action: (entry.before is not None, entry.after is not None) for entry in entries}
    wanted = {
        action: BEFORE_AND_AFTER.get(action.rpartition(".")[2], both)
        for action, both in said.items()
    }
    assert said == wanted


def test_every_address_that_changes_something_is_done_or_excused() -> None:
    changing = {
        f"{method} {row.address}"
        for row in table()
        for method in row.methods
        if method not in ("GET", "SOCKET") and not row.address.startswith(ADMIN)
    }

    done = {deed.place for deed in DEEDS}

    assert (sorted(changing - done - {*NO_ENTRY}), sorted(done & {*NO_ENTRY})) == ([], [])
    assert sorted({*done, *NO_ENTRY} - changing) == []


@pytest.mark.django_db
def test_whatever_the_admin_changes_is_watched(rf: RequestFactory, ada: User) -> None:
    request = rf.get("/admin/")
    request.user = ada

    unwatched = [
        model.__name__
        for model, its_admin in admin.site._registry.items()
        if model not in watched()
        and (
            its_admin.has_add_permission(request)
            or its_admin.has_change_permission(request)
            or its_admin.has_delete_permission(request)
        )
    ]

    assert unwatched == []
