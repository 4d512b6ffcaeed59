from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db
ARGUMENTS = ["ann", "--email=ann@studio.example", "--role=admin", "--password-env=ANN_PASSWORD"]


def test_create_user_makes_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANN_PASSWORD", PASSWORD)

    call_command("create_user", *ARGUMENTS, stdout=StringIO())

    user = User.objects.get()
    assert (user.username, user.role, user.check_password(PASSWORD)) == ("ann", "admin", True)


@pytest.mark.parametrize(
    ("password", "message"),
    [("", "ANN_PASSWORD is empty"), ("short", "too short")],
)
def test_create_user_refuses_a_bad_password(
    monkeypatch: pytest.MonkeyPatch, password: str, message: str
) -> None:
    monkeypatch.setenv("ANN_PASSWORD", password)

    with pytest.raises(CommandError, match=message):
        call_command("create_user", *ARGUMENTS)


def test_create_user_refuses_a_taken_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANN_PASSWORD", PASSWORD)
    call_command("create_user", *ARGUMENTS, stdout=StringIO())

    with pytest.raises(CommandError, match="already exists"):
        call_command("create_user", *ARGUMENTS)
