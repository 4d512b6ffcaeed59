"""Who may deliver: tokens in header, path and body, and what they are not good for."""

from __future__ import annotations

import io
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, Role
from incidents.alerts import sources
from incidents.intake import credentials, overload
from incidents.models import Alert, AlertSource, Delivery
from reliability_studio.request_log import JsonFormatter
from tests.incidents.conftest import make_person

URL = "/api/intake/alertmanager"
BODY = {"alerts": [{"status": "firing", "labels": {"alertname": "A"}, "fingerprint": "a"}]}


def post(path: str = URL, token: str | None = None, body: Any = BODY) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().post(path, body, content_type="application/json", headers=headers)


@pytest.fixture
def plain(db: None) -> str:
    """The token of the source eu."""
    return sources.create(slug="eu", kind="alertmanager")[1]


def test_rule_10_token_is_accepted_as_bearer_and_in_the_path(plain: str) -> None:
    answers = [post(token=plain), post(f"{URL}/{plain}")]

    assert [a.status_code for a in answers] == [202, 202]
    assert {d.source.slug for d in Delivery.objects.all()} == {"eu"}


def test_rule_10_token_is_kept_hashed_and_good_for_intake_alone(plain: str) -> None:
    kept = ApiToken.objects.get()

    answer = Client().get("/api/alerts", headers={"Authorization": f"Bearer {plain}"})

    assert plain not in json.dumps([str(value) for value in vars(kept).values()])
    assert kept.scopes == ["intake"]
    assert (answer.status_code, answer.json()["type"]) == (403, "scope-missing")


def test_token_of_a_source_is_not_talked_into_another(plain: str) -> None:
    AlertSource.objects.create(slug="us")

    post(f"{URL}?source=us", plain)

    assert Delivery.objects.get().source.slug == "eu"


def test_token_of_no_source_names_one(db: None) -> None:
    _, unbound = ApiToken.issue(name="any", scopes=["intake"])

    answers = [post(f"{URL}?source=us", unbound), post(token=unbound)]

    assert [a.status_code for a in answers] == [202, 202]
    kept = Delivery.objects.order_by("received_at")
    assert [d.source.slug for d in kept] == ["us", "alertmanager"]


@pytest.mark.parametrize("slug", ["a b", "ü", "x" * 64, "../x"])
def test_bad_name_of_a_source_is_a_400(plain: str, slug: str) -> None:
    answer = post(f"{URL}?source={slug}", plain)

    assert (answer.status_code, answer.json()["type"]) == (400, "invalid")


@pytest.mark.parametrize("change", [{"revoked_at": 0}, {"expires_at": -1}], ids=str)
def test_ended_token_is_refused(plain: str, change: dict[str, int]) -> None:
    at = timezone.now()
    ApiToken.objects.update(**{name: at + timedelta(hours=h) for name, h in change.items()})

    answers = [post(token=plain), post(f"{URL}/{plain}")]

    assert [a.status_code for a in answers] == [401, 401]
    assert answers[0]["WWW-Authenticate"].startswith("Bearer")
    assert answers[0]["Content-Type"] == "application/problem+json"
    assert Delivery.objects.count() == 0


def test_token_revoked_between_two_deliveries_is_refused(plain: str) -> None:
    before = post(token=plain)
    sources.revoke(AlertSource.objects.get())

    after = post(token=plain)

    assert (before.status_code, after.status_code) == (202, 401)


@pytest.mark.parametrize("token", [None, "", "rst_wrong", "not-a-jwt", "rst_\u00fc", "a b"])
def test_no_or_a_wrong_token_is_a_401(db: None, token: str | None) -> None:
    answer = post(token=token)

    assert answer.status_code == 401


def test_token_without_the_scope_is_a_403(db: None) -> None:
    _, writes = ApiToken.issue(name="w", scopes=["write"], owner=make_person("sam", Role.ADMIN))

    answer = post(token=writes)

    assert (answer.status_code, answer.json()["type"]) == (403, "scope-missing")


@pytest.mark.parametrize(
    ("role", "active", "status"),
    [
        (Role.RESPONDER, True, 202),
        (Role.ADMIN, True, 202),
        (Role.VIEWER, True, 403),
        (Role.ADMIN, False, 401),
    ],
)
def test_owned_token_does_no_more_than_its_owner(
    db: None, role: Role, active: bool, status: int
) -> None:
    owner = make_person("sam", role)
    _, owned = ApiToken.issue(name="own", scopes=["intake"], owner=owner)
    owner.is_active = active
    owner.save()

    assert post(token=owned).status_code == status


@pytest.mark.parametrize(("role", "status"), [(Role.RESPONDER, 202), (Role.VIEWER, 403)])
def test_person_may_try_it_with_an_access_token(db: None, role: Role, status: int) -> None:
    access = tokens.issue(make_person("sam", role)).access_token

    assert post(token=access).status_code == status


@pytest.mark.parametrize("scope", ["read", "write", "admin"])
def test_other_token_is_not_let_in_behind_a_wrong_one_in_the_path(db: None, scope: str) -> None:
    _token, plain = ApiToken.issue(name="t", scopes=[scope], owner=make_person("ada", Role.ADMIN))

    answer = post(f"{URL}/nonsense", token=plain)

    assert (answer.status_code, Delivery.objects.count()) == (401, 0)


def test_session_is_no_credential_for_intake(db: None) -> None:
    client = Client()
    client.force_login(make_person("ada", Role.ADMIN))

    assert client.post(URL, BODY, content_type="application/json").status_code == 401


def test_last_use_is_noted_with_the_look_up(plain: str) -> None:
    with CaptureQueriesContext(connection) as first:
        post(token=plain)
    used_at = ApiToken.objects.get().last_used_at
    with CaptureQueriesContext(connection) as second:
        post(token=plain)

    assert used_at is not None
    assert ApiToken.objects.get().last_used_at == used_at
    # SQLite writes an occurrence for the first; PostgreSQL may look up and store at once later
    assert len(first) <= (2 if connection.vendor == "postgresql" else 6)
    assert len(second) < len(first) or connection.vendor == "postgresql"


def test_labels_left_out_are_those_of_now(plain: str) -> None:
    post(token=plain)
    AlertSource.objects.update(ignored_labels=["pod"])

    for pod in "ab":
        labels = {"alertname": "B", "pod": pod}
        body = {"alerts": [{"status": "firing", "labels": labels}]}
        assert post(token=plain, body=body).status_code == 202

    assert Alert.objects.filter(name="B").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [1, 20, 500])
def test_request_takes_at_most_four_statements(count: int) -> None:
    _, token = sources.create(slug="eu", kind="alertmanager")
    labels = [{"alertname": "A", "pod": f"p{n}"} for n in range(count)]
    body = {"alerts": [{"status": "firing", "labels": each} for each in labels]}
    over = {"alerts": [{"status": "resolved", "labels": each} for each in labels]}
    taken = []

    for each in (body, body, over):
        with CaptureQueriesContext(connection) as queries:
            assert post(token=token, body=each).status_code == 202
        # a prepared statement has no text of its own in the log
        taken.append(sum(not (q["sql"] or "").startswith(("BEGIN", "COMMIT")) for q in queries))

    assert max(taken) <= (2 if connection.vendor == "postgresql" else 4)


def test_token_in_a_path_is_in_no_log(plain: str, caplog: pytest.LogCaptureFixture) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    try:
        with caplog.at_level(logging.DEBUG):
            post(f"{URL}/{plain}")
            post(f"{URL}/{plain}/")
            post(f"/api/elsewhere/{plain}")
            post(f"/elsewhere/{plain}")
            logging.getLogger("django.request").error("Bad Request: %s/%s", URL, plain)
    finally:
        logging.getLogger().removeHandler(handler)

    assert "api/intake/alertmanager/<str:token>" in stream.getvalue()
    assert plain not in stream.getvalue()


def test_rule_6_overload_is_answered_before_the_body_is_read(
    plain: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload.gate, "_looked_at", float("-inf"))
    settings.INTAKE_MAX_WAITING = 1
    Delivery.objects.create(source=AlertSource.objects.get(), body="{}")

    counted = post(token=plain, body=b"{")
    with CaptureQueriesContext(connection) as queries:
        remembered = post(token=plain, body=b"{")

    monkeypatch.setattr(overload.gate, "_looked_at", float("-inf"))
    settings.INTAKE_MAX_WAITING = configured.INTAKE_MAX_WAITING + 1
    assert [a.status_code for a in (counted, remembered)] == [503, 503]
    assert counted["Retry-After"] == "5"
    assert counted.json()["type"] == "overloaded"
    assert len(queries) == 0


def test_overload_ends_when_the_deliveries_are_grouped(
    plain: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INTAKE_MAX_WAITING = 1
    monkeypatch.setattr(overload.gate, "_looked_at", float("-inf"))
    Delivery.objects.create(source=AlertSource.objects.get(), body="{}")
    during = post(token=plain)
    Delivery.objects.update(state=Delivery.State.DONE)
    monkeypatch.setattr(overload.gate, "_looked_at", float("-inf"))

    after = post(token=plain)

    assert (during.status_code, after.status_code) == (503, 202)


def test_too_many_at_once_are_turned_away_without_a_statement(plain: str, settings: Any) -> None:
    settings.INTAKE_MAX_IN_WORK = 1

    with overload.gate.entered(), CaptureQueriesContext(connection) as queries:
        turned_away = post(token=plain)
    afterwards = post(token=plain)

    assert (turned_away.status_code, afterwards.status_code) == (503, 202)
    assert len(queries) == 0


def test_every_token_is_forgotten_when_there_are_too_many_to_remember(
    plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "MOST_NOTED", 0)
    _, other = sources.create(slug="us", kind="alertmanager")

    answers = [post(token=token) for token in (plain, other, plain)]

    assert [a.status_code for a in answers] == [202, 202, 202]


def test_nobody_delivers_as_the_internal_source(db: None) -> None:
    AlertSource.objects.create(slug="slo", kind=AlertSource.Kind.INTERNAL)
    _row, plain = ApiToken.issue(name="any", scopes=["intake"])

    answer = post(f"{URL}?source=slo", token=plain)

    assert (answer.status_code, answer.json()["type"]) == (403, "source-internal")
    assert not Delivery.objects.exists()
