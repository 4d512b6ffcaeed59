from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ApiToken

pytestmark = pytest.mark.django_db
FIRST = "rst_" + "a" * 40
SECOND = "rst_" + "b" * 40


def register(monkeypatch: pytest.MonkeyPatch, token: str, name: str = "alertmanager") -> str:
    monkeypatch.setenv("GIVEN_TOKEN", token)
    said = StringIO()
    call_command(
        "register_token", name, "--scope", "intake", "--token-env", "GIVEN_TOKEN", stdout=said
    )
    return said.getvalue().strip()


def test_register_token_accepts_it_for_intake_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    said = register(monkeypatch, FIRST)

    token = ApiToken.objects.find(FIRST)
    assert token is not None
    assert (token.scopes, token.owner) == (["intake"], None)
    assert said == "alertmanager: registered, 0 replaced"


def test_register_token_again_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, FIRST)

    said = register(monkeypatch, FIRST)

    assert ApiToken.objects.count() == 1
    assert said == "alertmanager: kept, 0 replaced"


def test_register_token_ends_the_one_it_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, FIRST)

    register(monkeypatch, SECOND)

    assert ApiToken.objects.find(FIRST) is None
    assert ApiToken.objects.find(SECOND) is not None


def test_register_token_takes_an_earlier_one_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for token in (FIRST, SECOND, FIRST):
        register(monkeypatch, token)

    assert ApiToken.objects.find(FIRST) is not None
    assert ApiToken.objects.find(SECOND) is None


def test_register_token_refuses_another_names_token(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, FIRST)

    with pytest.raises(CommandError, match="in use under another name"):
        register(monkeypatch, FIRST, name="other")


@pytest.mark.parametrize("token", ["", "secret", "rst_short", "x" * 60])
def test_register_token_refuses_what_is_not_a_token(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    with pytest.raises(CommandError, match="GIVEN_TOKEN is not a token"):
        register(monkeypatch, token)
