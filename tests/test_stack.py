"""The product in separate processes on PostgreSQL and Redis, exactly as compose starts them.

Runs where DATABASE_URL and REDIS_URL are given (`python -m tests.servers --`), which is the
first half of `make test`; skipped by name elsewhere.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import websocket
from prometheus_client.parser import text_string_to_metric_families

from tests.servers import ServerError, debian
from tests.servers.stack import Stack

PROCESSES = ("web", "sockets", "worker", "worker-studio", "worker-notify", "beat")
PASSWORD = "correct horse battery"
PATIENCE_SECONDS = 60.0
GUESSES = 4
FINISHED = {"done", "inconclusive", "failed"}
NO_TELEMETRY = dict.fromkeys(("PROMETHEUS_URL", "LOKI_URL", "TEMPO_URL", "ALERTMANAGER_URL"), "")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Migrated, started and healthy, with an administrator `ada`."""
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        pytest.skip("separate processes: DATABASE_URL and REDIS_URL are not set")
    given = {**NO_TELEMETRY, "LOGIN_ATTEMPTS_PER_ADDRESS": str(GUESSES)}
    made = Stack.in_folder(tmp_path_factory.mktemp("stack"), **given)
    try:
        migrated = made.run("migrate", made.command("migrate"))
        assert migrated.returncode == 0, migrated.stderr
        for name in PROCESSES:
            made.start(name)
        for name in PROCESSES:
            made.await_healthy(name)
        created = made.run(
            "web",
            ["python", "manage.py", "create_user", "ada", "--email", "ada@example.com",
             "--role", "admin", "--password-env", "PASSWORD"],
            PASSWORD=PASSWORD,
        )  # fmt: skip
        assert created.returncode == 0, created.stderr
        yield made
    finally:
        made.kill()


@pytest.fixture(scope="module")
def front(stack: Stack) -> str:
    """The address of nginx in front of them."""
    try:
        debian.program("nginx", "nginx")
    except ServerError as error:
        pytest.skip(f"real nginx: {error}")
    stack.start_nginx()
    until(lambda: answers(f"{stack.url}/nginx-health"))
    return stack.url


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def until(condition: Callable[[], object]) -> Any:
    """What the condition gave once it was true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def api(url: str) -> requests.Session:
    """A client of the API signed in as ada."""
    session = requests.Session()
    answer = session.post(
        f"{url}/api/auth/login", json={"username": "ada", "password": PASSWORD}, timeout=10
    )
    assert answer.status_code == 200, answer.text
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def browser(url: str) -> requests.Session:
    """A browser signed in as ada: with a session cookie."""
    session = requests.Session()
    page = session.get(f"{url}/login", timeout=10)
    assert page.status_code == 200
    answer = session.post(
        f"{url}/login",
        {
            "identifier": "ada",
            "password": PASSWORD,
            "csrfmiddlewaretoken": session.cookies["csrftoken"],
        },
        headers={"Referer": f"{url}/login"},
        timeout=10,
    )  # fmt: skip
    assert answer.url == f"{url}/"
    return session


def listen(session: requests.Session, origin: str, sockets: str, path: str) -> websocket.WebSocket:
    """A websocket of that browser; `sockets` is the server that answers, `origin` the page's."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
    return websocket.create_connection(
        sockets.replace("http://", "ws://") + path,
        timeout=PATIENCE_SECONDS,
        cookie=cookies,
        origin=origin,
        host=origin.removeprefix("http://"),
    )


def open_incident(session: requests.Session, url: str, title: str) -> dict[str, Any]:
    answer = session.post(
        f"{url}/api/incidents",
        json={
            "title": title,
            "severity": "high",
            "service": "checkout",
            "allow_duplicate": True,
        },
        timeout=10,
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def follow_analysis(stack: Stack, url: str, sockets: str, title: str) -> tuple[str, str]:
    """Opens an incident and asks for an analysis while a page listens.

    Returns the analysis' status and what the page was sent after its first snapshot, up to the
    causes: what is remembered of the run before comes on its own.
    """
    session = api(url)
    session.post(f"{url}/api/services", json={"slug": "checkout", "name": "Checkout"}, timeout=10)
    incident = open_incident(session, url, title)
    where = f"{url}/api/incidents/{incident['id']}"

    def finished() -> Any:
        return session.get(f"{where}/correlations", timeout=10).json()["analysis"]

    until(lambda: finished()["status"] in FINISHED)
    page = listen(browser(url), url, sockets, f"/ws/incidents/{incident['id']}")
    snapshot = page.recv()
    assert 'id="causes"' in snapshot
    asked = session.post(f"{where}/analyse", timeout=10)
    assert asked.status_code == 202, asked.text
    run = asked.json()["id"]
    seen = page.recv()
    while 'id="causes"' not in seen:
        seen += page.recv()
    until(lambda: finished()["id"] == run and finished()["status"] in FINISHED)
    page.close()
    return finished()["status"], seen


def test_analysis_runs_in_a_worker_and_its_panels_reach_the_page(stack: Stack) -> None:
    status, seen = follow_analysis(stack, stack.web_url, stack.sockets_url, "Checkout fails")

    assert status in FINISHED
    assert 'id="causes"' in seen


def test_nginx_passes_pages_api_and_websockets_on(stack: Stack, front: str) -> None:
    status, seen = follow_analysis(stack, front, front, "Checkout fails behind nginx")

    assert status in FINISHED
    assert 'id="causes"' in seen
    assert requests.get(f"{front}/static/css/tokens.css", timeout=10).status_code == 200


def test_gunicorn_takes_a_delivery_that_does_not_say_its_length(stack: Stack) -> None:
    alert = {"status": "resolved", "labels": {"alertname": "Chunked"}}
    body = json.dumps({"alerts": [alert]}).encode()

    answer = requests.post(
        f"{stack.web_url}/api/intake/alertmanager/{stack.settings['ALERTMANAGER_TOKEN']}",
        data=iter([body[:20], body[20:]]),
        timeout=10,
    )

    assert (answer.status_code, answer.json()["alerts"]) == (202, 1)


def test_import_has_told_open_pages_before_it_ends(stack: Stack, tmp_path: Path) -> None:
    """What is left for the interpreter's end is sent no more, and logged as an error."""
    history = tmp_path / "history.csv"
    history.write_text(
        "starts_at,ends_at,alertname,service\n"
        "2026-01-01T00:00:00Z,2026-01-01T00:10:00Z,Old,imported\n"
        "2026-02-01T00:00:00Z,2026-02-01T00:10:00Z,Old,imported\n"
    )

    done = stack.run("web", ["python", "manage.py", "backfill_incidents", "--file", str(history)])

    assert (done.returncode, done.stderr) == (0, "1/2 incidents\n2/2 incidents\n")


def test_deliveries_that_wait_for_the_database_leave_threads_for_the_rest(stack: Stack) -> None:
    """Two workers of 16 threads take 12 each: 16 of 40 at least are told to come again."""
    alert = {"status": "resolved", "labels": {"alertname": "Crowd"}}
    address = f"{stack.web_url}/api/intake/alertmanager/{stack.settings['ALERTMANAGER_TOKEN']}"

    def send(_: int) -> tuple[int, str | None]:
        answer = requests.post(address, json={"alerts": [alert]}, timeout=4 * PATIENCE_SECONDS)
        answers.append((answer.status_code, answer.headers.get("Retry-After")))
        return answers[-1]

    answers: list[tuple[int, str | None]] = []
    with ThreadPoolExecutor(40) as senders:
        with psycopg.connect(stack.environment("web")["DATABASE_URL"]) as holder:
            holder.execute("LOCK TABLE incidents_alert IN ACCESS EXCLUSIVE MODE")
            sent = senders.map(send, range(40))
            until(lambda: len(answers) >= 16)
            while_locked = set(answers)
            health = requests.get(f"{stack.web_url}/health", timeout=PATIENCE_SECONDS)
        after = set(sent)

    assert while_locked == {(503, "5")}
    assert health.status_code == 200
    assert after == {(202, None), (503, "5")}


def test_nginx_keeps_metrics_inside_and_request_ids_whole(stack: Stack, front: str) -> None:
    token = {"Authorization": f"Bearer {stack.settings['METRICS_TOKEN']}"}

    hidden = requests.get(f"{front}/metrics", headers=token, timeout=10)
    named = requests.get(f"{front}/health", headers={"X-Request-ID": "mine-1"}, timeout=10)
    unnamed = requests.get(f"{front}/health", headers={"X-Request-ID": "a b"}, timeout=10)

    assert hidden.status_code == 404
    assert named.headers["X-Request-ID"] == "mine-1"
    assert len(unnamed.headers["X-Request-ID"]) == 32


def test_nginx_passes_the_host_on_for_the_product_to_judge(stack: Stack, front: str) -> None:
    answer = requests.get(f"{front}/login", headers={"Host": "elsewhere.example"}, timeout=10)

    assert answer.status_code == 400


def test_alertmanagers_delivery_becomes_an_incident(stack: Stack) -> None:
    session = api(stack.web_url)
    body = {
        "version": "4", "groupKey": "k", "status": "firing", "receiver": "reliability-studio",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "",
        "truncatedAlerts": 0,
        "alerts": [{
            "status": "firing", "fingerprint": "f1", "generatorURL": "", "annotations": {},
            "labels": {"alertname": "StudioDown", "service": "ledger", "severity": "critical"},
            "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
        }],
    }  # fmt: skip
    token = stack.settings["ALERTMANAGER_TOKEN"]

    accepted = requests.post(
        f"{stack.web_url}/api/intake/alertmanager",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )

    assert accepted.status_code == 202
    opened = until(
        lambda: [
            each
            for each in session.get(f"{stack.web_url}/api/incidents", timeout=10).json()["results"]
            if each["severity"] == "critical"
        ]
    )
    assert len(opened) == 1


def test_prometheus_reads_the_counts_of_all_workers(stack: Stack) -> None:
    address = f"{stack.web_url}/metrics"
    token = {"Authorization": f"Bearer {stack.settings['METRICS_TOKEN']}"}

    def count() -> float:
        answer = requests.get(address, headers=token, timeout=10)
        assert answer.status_code == 200
        return next(
            sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name == "studio_http_request_duration_seconds_count"
            and sample.labels == {"method": "GET", "route": "login", "status": "2xx"}
        )

    requests.get(f"{stack.web_url}/login", timeout=10)
    before = count()
    for _ in range(20):  # a connection each: the workers share them
        requests.get(f"{stack.web_url}/login", timeout=10)

    assert requests.get(address, timeout=10).status_code == 401
    assert count() == before + 20


def test_clients_claim_about_its_address_is_not_believed(stack: Stack, front: str) -> None:
    """One proxy is trusted: the entry nginx appended counts, not the client's own."""
    answers = [
        requests.post(
            f"{front}/api/auth/login",
            json={"username": f"nobody{n}", "password": "wrong"},
            headers={"X-Forwarded-For": f"203.0.113.{n}"},
            timeout=10,
        ).status_code
        for n in range(GUESSES + 1)
    ]

    assert answers == [401] * GUESSES + [429]


def test_migrating_again_changes_nothing(stack: Stack) -> None:
    again = stack.run("migrate", stack.command("migrate"))

    assert again.returncode == 0, again.stderr
    assert "No migrations to apply" in again.stdout
    assert "alertmanager: kept, 0 replaced" in again.stdout


def test_every_process_ends_well_when_told_to(stack: Stack) -> None:
    """Last in this file: nothing runs after it."""
    ended = {name: process.stop() for name, process in reversed(stack.running.items())}
    left = {name: process.left_behind for name, process in stack.running.items()}

    assert ended == dict.fromkeys(ended, 0)
    assert left == {name: [] for name in left}
    assert set(ended) >= set(PROCESSES)


def test_logs_hold_no_secret(stack: Stack) -> None:
    secrets = [value for value in stack.settings.values() if len(value) >= 32]

    leaked = [
        (process.name, value)
        for process in stack.running.values()
        for value in [*secrets, PASSWORD]
        if value in Path(process.log).read_text()
    ]

    assert leaked == []
