import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from lab.runtime import Lab
from lab.server import LabServer


def _wait_until_ready(url: str) -> None:
    for _ in range(300):
        if requests.get(f"{url}/lab/status", timeout=5).json()["ready"]:
            return
        time.sleep(0.1)
    raise AssertionError("the lab did not become ready")


@pytest.fixture(scope="module")
def lab_url() -> Iterator[str]:
    lab = Lab(seed=7, history_seconds=120.0)
    server = LabServer(lab)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    early = requests.get(f"{url}/prometheus/api/v1/query", params={"query": "up"}, timeout=5)
    assert early.status_code == 503
    lab.start()
    _wait_until_ready(url)
    yield url
    server.shutdown()
    server.server_close()
    lab.stop()


def test_server_answers_all_four_stand_ins(lab_url: str) -> None:
    paths = (
        "/prometheus/api/v1/query?query=count(process_start_time_seconds)",
        "/loki/loki/api/v1/labels",
        "/tempo/api/search?q=%7B%7D",
        "/kubernetes/api/v1/namespaces/shop/pods",
        "/metrics",
    )

    with requests.Session() as session:
        answers = [session.get(lab_url + path, timeout=10) for path in paths]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert answers[0].json()["data"]["result"][0]["value"][1] == "22"
    assert len(answers[3].json()["items"]) == 22


def test_server_starts_and_stops_a_fault(lab_url: str) -> None:
    with requests.Session() as session:
        started = session.post(f"{lab_url}/lab/faults/slow-database/start", timeout=10).json()
        again = session.post(f"{lab_url}/lab/faults/slow-database/start", timeout=10).json()
        listed = session.get(f"{lab_url}/lab/faults", timeout=10).json()
        stopped = session.post(f"{lab_url}/lab/faults/stop", timeout=10).json()

    assert (started["changed"], again["changed"]) == (True, False)
    assert [f["id"] for f in listed if f["active"]] == ["slow-database"]
    assert stopped == {"stopped": ["slow-database"]}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/lab/faults/nope/start", None, 404),
        ("POST", "/lab/fail", "not json", 400),
        ("POST", "/lab/fail", '{"service": "nope"}', 400),
        ("PUT", "/lab/faults", None, 405),
        ("GET", "/lab/nope", None, 404),
        ("GET", "/nope", None, 404),
    ],
)
def test_server_refuses_with_json(
    lab_url: str, method: str, path: str, body: str | None, status: int
) -> None:
    answer = requests.request(method, lab_url + path, data=body, timeout=10)

    assert answer.status_code == status
    assert "error" in answer.json()


def test_process_writes_its_port_and_ends_cleanly(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "lab", "--history", "60", "--port-file", str(port_file)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not port_file.exists():
            assert process.poll() is None
            time.sleep(0.05)
        _wait_until_ready(f"http://127.0.0.1:{int(port_file.read_text())}")
        process.terminate()

        assert process.wait(timeout=20) == 0


def test_server_keeps_what_is_posted_to_its_inbox(lab_url: str) -> None:
    for n in range(2):
        headers = {"Idempotency-Key": f"key-{n}", "Authorization": "hidden"}
        requests.post(f"{lab_url}/lab/inbox", json={"n": n}, headers=headers, timeout=30)

    kept = requests.get(f"{lab_url}/lab/inbox", timeout=30).json()

    assert [one["body"] for one in kept] == ['{"n": 1}', '{"n": 0}']
    assert kept[0]["headers"]["Idempotency-Key"] == "key-1"
    assert "Authorization" not in kept[0]["headers"]
