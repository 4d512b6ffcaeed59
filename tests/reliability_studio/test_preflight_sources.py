"""What is configured and cannot be used is refused by name: system checks, studio, workers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from correlation.models import DataSource, SourceHealth
from reliability_studio.preflight import CannotStart, verify_sources
from tests.correlation.backends.faulty_server import faulty_server
from tests.servers.studio import ROOT, Studio, environment

KUBECONFIG = """
current-context: {current}
clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1'}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}, {{name: d, context: {{cluster: x}}}}]
users: [{{name: u, user: {{token: t}}}}]
"""


def source_checks() -> list[CheckMessage]:
    return [one for one in run_checks() if "studio.E01" in str(one.id) or "W01" in str(one.id)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: no such file or directory."),
        ("{", "cannot be parsed."),
        ("[]", "cannot be parsed."),
        (KUBECONFIG.format(current="''"), "has no current-context; its contexts: c, d."),
        (KUBECONFIG.format(current="e"), "has no current-context 'e'; its contexts: c, d."),
        (KUBECONFIG.format(current="d"), "names no server for its context 'd'."),
    ],
    ids=["missing", "not-yaml", "not-a-kubeconfig", "no-current", "unknown-context", "no-server"],
)
def test_kubeconfig_that_cannot_be_used_is_a_system_check(
    settings: Any, tmp_path: Path, content: str | None, says: str
) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    settings.KUBECONFIG = str(path)

    (found,) = source_checks()

    assert (found.id, found.msg) == ("studio.E010", f"The kubeconfig {path} {says}")
    assert found.hint


def test_usable_kubeconfig_passes(settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(KUBECONFIG.format(current="c"))
    settings.KUBECONFIG = str(path)

    assert source_checks() == []


def test_optional_source_that_cannot_be_used_is_a_warning(settings: Any) -> None:
    settings.KUBECONFIG = "/nonexistent/config"
    settings.DATA_SOURCE_FIELDS = settings.DATA_SOURCE_FIELDS | {"kubernetes": {"required": False}}

    assert [found.id for found in source_checks()] == ["studio.W010"]


def test_unset_variable_login_and_unreadable_ca_are_system_checks(settings: Any) -> None:
    settings.PROMETHEUS_URL = "https://ann:pw@prometheus"
    settings.DATA_SOURCE_FIELDS = settings.DATA_SOURCE_FIELDS | {
        "prometheus": {"required": True, "auth_variable": "NOT_SET_ANYWHERE", "ca_file": "/no/ca"}
    }

    found = {one.id: one.msg for one in source_checks()}

    assert found == {
        "studio.E011": "The variable NOT_SET_ANYWHERE named by data source prometheus is not set.",
        "studio.E012": "The CA file /no/ca named by data source prometheus cannot be read: "
        "no such file or directory.",
        "studio.E014": "PROMETHEUS_URL holds a login, which is not stored.",
    }


@pytest.mark.django_db
def test_start_is_refused_with_a_line_for_each_required_source(settings: Any) -> None:
    settings.STARTUP_PATIENCE_SECONDS = 0.0
    warnings: list[str] = []
    DataSource.objects.create(slug="a", kind="loki", url="http://127.0.0.1:9", auth_variable="NO_A")
    DataSource.objects.create(slug="b", kind="tempo", url="http://127.0.0.1:9", required=False)
    with faulty_server("401") as server:
        DataSource.objects.create(slug="c", kind="prometheus", url=server.url)
        with pytest.raises(CannotStart) as refusal:
            verify_sources(warnings.append)

    assert refusal.value.problems == (
        "Data source a (Loki) cannot be used: the variable NO_A named by data source a is not "
        "set. Correct it, or set LOKI_OPTIONAL=1 to start without.",
        "Data source c (Prometheus) cannot be used: answered 401 (unauthorized: check the "
        "credentials or the tenant): no luck. "
        "Correct it, or set PROMETHEUS_OPTIONAL=1 to start without.",
    )
    assert warnings == [
        "Data source b (Tempo) cannot be used: connection refused by 127.0.0.1:9. "
        "It is optional: analyses go on without it."
    ]
    assert SourceHealth.objects.get(source__slug="b").last_error == (
        "connection refused by 127.0.0.1:9"
    )


@pytest.mark.django_db
def test_start_asks_nothing_of_the_lab_it_started(settings: Any) -> None:
    settings.LAB_URL = "http://127.0.0.1:9"
    DataSource.objects.create(slug="loki", kind="loki", url="http://127.0.0.1:9/loki")

    verify_sources(print)

    assert not SourceHealth.objects.exists()


def test_studio_refuses_to_start_without_a_required_source(
    start_studio: Callable[..., Studio],
) -> None:
    studio = start_studio(LOKI_URL="http://127.0.0.1:9", STARTUP_PATIENCE_SECONDS="0")

    code = studio.process.wait(120)

    assert code == 1
    assert studio.log.read_text() == (
        "Data source loki (Loki) cannot be used: connection refused by 127.0.0.1:9. "
        "Correct LOKI_URL, or set LOKI_OPTIONAL=1 to start without.\n"
    )


def test_worker_refuses_to_start_with_an_unusable_kubeconfig(tmp_path: Path) -> None:
    env = environment(tmp_path, KUBECONFIG="/nonexistent/config")
    command = [sys.executable, "-m", "celery", "-A", "reliability_studio", "worker", "-P", "solo"]

    worker = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )

    assert worker.returncode == 1
    assert worker.stderr.splitlines()[-1] == (
        "The kubeconfig /nonexistent/config cannot be read: no such file or directory. "
        "Correct KUBECONFIG or the file, or set KUBERNETES_OPTIONAL=1 to do without. [studio.E010]"
    )
