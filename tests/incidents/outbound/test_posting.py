"""POSTs to addresses that people typed in, and where they may not lead."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from incidents.outbound.errors import BackendError
from incidents.outbound.posting import forbidden_reason, post
from tests.incidents.notify.receiving import Answer, Receiver

Resolver = dict[str, list[str]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """What names resolve to, one answer after the other; the last stays."""
    table: Resolver = {}
    real = socket.getaddrinfo

    def resolve(host: str, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in table:
            return real(host, port, *args, **kwargs)
        answers = table[host]
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        return real(address, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return table


def sent(url: str, **options: Any) -> int:
    options.setdefault("timeout_seconds", 30.0)
    return post("receiver", url, b"{}", headers={}, **options).status


def test_local_address_is_refused_before_anything_is_sent(receiver: Receiver) -> None:
    with pytest.raises(BackendError, match="leads into a private, local or reserved network"):
        sent(receiver.url)

    assert receiver.received == []


def test_local_address_is_sent_to_where_its_network_is_allowed(
    receiver: Receiver, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]

    assert sent(receiver.url) == 200


def test_name_that_leads_inside_is_refused_at_save_and_at_use(
    receiver: Receiver, names: Resolver
) -> None:
    names["hooks.example.com"] = ["127.0.0.1"]
    url = f"http://hooks.example.com:{receiver.server_port}/in"

    assert forbidden_reason(url).startswith("hooks.example.com leads into a private")
    with pytest.raises(BackendError, match=r"hooks\.example\.com leads into"):
        sent(url)


def test_name_that_answers_otherwise_the_second_time_leads_nowhere(
    receiver: Receiver, names: Resolver
) -> None:
    names["hooks.example.com"] = ["93.184.216.34", "127.0.0.1"]
    url = f"http://hooks.example.com:{receiver.server_port}/in"
    at_save = forbidden_reason(url)

    with pytest.raises(BackendError, match="leads into"):
        sent(url)

    assert (at_save, receiver.received) == ("", [])


def test_name_is_resolved_once_and_what_was_checked_is_connected_to(
    receiver: Receiver, names: Resolver, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    names["hooks.example.com"] = ["127.0.0.1", "10.0.0.1"]

    status = sent(f"http://hooks.example.com:{receiver.server_port}/in")

    assert status == 200
    assert receiver.received[0].headers["host"] == f"hooks.example.com:{receiver.server_port}"


@pytest.mark.parametrize(
    "url", ["http://localhost/x", "http://[::1]/x", "http://169.254.169.254/latest/meta-data"]
)
def test_forbidden_reason_refuses_what_is_local(url: str) -> None:
    assert "leads into a private, local or reserved network" in forbidden_reason(url)


def test_redirect_is_an_answer_and_not_followed(receiver: Receiver, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    receiver.answers = [Answer(308, "", {"Location": receiver.url})]

    assert sent(receiver.url) == 308
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("hang", "did not answer within 0.3 s"),
        ("drip", "did not answer within 0.3 s"),
    ],
)
def test_receiver_that_takes_its_time_is_cut_off(
    how: str, words: str, receiver: Receiver, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    receiver.answers = [Answer(how=how)]

    with pytest.raises(BackendError, match=words):
        sent(receiver.url, timeout_seconds=0.3)


def test_secret_path_is_in_no_message(receiver: Receiver, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    receiver.answers = [Answer(how="close")]

    with pytest.raises(BackendError) as raised:
        sent(receiver.url + "/T0/B0/s3cr3t")

    assert "s3cr3t" not in str(raised.value)
    assert raised.value.__suppress_context__
