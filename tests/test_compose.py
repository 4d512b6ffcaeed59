"""The stack's files without Docker: read by their own servers' checkers, or against a schema."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import jsonschema
import promql_parser
import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from reliability_studio import environment
from tests.servers import ServerError, debian
from tests.servers.compose import ROOT, Missing, filled, raw, substitute

DOCKER = ROOT / "docker"
REQUIRED = {
    "SECRET_KEY": "s" * 48,
    "POSTGRES_PASSWORD": "p" * 48,
    "REDIS_PASSWORD": "r" * 48,
    "METRICS_TOKEN": "m" * 48,
    "ALERTMANAGER_TOKEN": "rst_" + "a" * 48,
    "GRAFANA_ADMIN_PASSWORD": "g" * 32,
}
PORTS = {
    "nginx": [9000], "prometheus": [9090], "alertmanager": [9093], "loki": [3100],
    "tempo": [3200, 4317, 4318], "grafana": [3000], "postgres": [5432], "lab": [9500],
}  # fmt: skip
OURS = {"web", "sockets", "worker", "worker-studio", "worker-notify", "beat", "migrate", "lab"}
SERVICES = sorted(raw()["services"])


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = filled(REQUIRED)["services"][name]
    return found


def checker(folder: str, name: str) -> Path:
    try:
        return debian.program(folder, name)
    except ServerError as error:
        pytest.skip(f"real {name}: {error}")


def accepted(*command: str | Path) -> str:
    """What the checker printed; fails with it when the checker refuses."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_compose_file_follows_the_specification() -> None:
    schema = json.loads((ROOT / "tests/compose_schema/compose-spec.json").read_text())

    wrong = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for given in (raw(), filled(REQUIRED))
        for error in jsonschema.Draft202012Validator(schema).iter_errors(given)
    ]

    assert wrong == []


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_compose_refuses_to_start_without_a_secret(name: str) -> None:
    for lacking in (REQUIRED | {name: ""}, {k: v for k, v in REQUIRED.items() if k != name}):
        with pytest.raises(Missing, match=name):
            filled(lacking)


def test_example_environment_names_every_required_secret_and_gives_none() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()

    given = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))

    assert given == dict.fromkeys(REQUIRED, "")


def test_example_environment_mentions_only_what_the_file_reads() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    mentioned = {m[1] for line in lines if (m := re.match(r"(?:# )?([A-Z_]+)=", line))}

    read = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))

    assert mentioned - read - {"ALERTMANAGER_TOKEN", "METRICS_TOKEN"} == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "1"), ("${B}", ""), ("${B:-x}", "x"), ("${B-x}", ""), ("${C-x}", "x"),
        ("${A:-x}", "1"), ("$$A", "$A"), ("a-${A}-${C:-}", "a-1-"),
    ],
)  # fmt: skip
def test_substitute_reads_variables_as_compose_does(text: str, expected: str) -> None:
    assert substitute(text, {"A": "1", "B": ""}) == expected


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_pinned_bounded_and_without_privileges(name: str) -> None:
    given = service(name)
    image, limits = given["image"], given["deploy"]["resources"]["limits"]

    assert re.fullmatch(r"[\w./-]+:(local|v?\d+\.\d+[\w.-]*)", image), image
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert not given.get("privileged", False)
    assert "cap_add" not in given
    assert limits.keys() == {"cpus", "memory"}
    assert given["restart"] == ("no" if name == "migrate" else "unless-stopped")
    # Docker writes secrets that come from the environment into the container's own layer
    assert given.get("read_only", False) is ("secrets" not in given)


@pytest.mark.parametrize("name", SERVICES)
def test_service_has_a_health_check_or_ends(name: str) -> None:
    check = service(name)["healthcheck"]

    assert check == {"disable": True} if name == "migrate" else len(check["test"]) > 1


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_published_on_the_port_its_users_know(name: str) -> None:
    published = [str(port).split(":") for port in service(name).get("ports", [])]

    assert [int(parts[-1]) for parts in published] == PORTS.get(name, [])
    beyond_loopback = [parts for parts in published if parts[0] != "127.0.0.1"]
    assert beyond_loopback == ([["9000", "9000"]] if name == "nginx" else [])


@pytest.mark.parametrize("name", SERVICES)
def test_service_depends_on_what_is_there_and_can_be_waited_for(name: str) -> None:
    services = filled(REQUIRED)["services"]

    for other, how in service(name).get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "test" in services[other]["healthcheck"]
        else:
            assert (other, how["condition"]) == ("migrate", "service_completed_successfully")


@pytest.mark.parametrize("name", SERVICES)
def test_service_mounts_files_that_exist_and_volumes_that_are_declared(name: str) -> None:
    declared = filled(REQUIRED)["volumes"]

    for mount in service(name).get("volumes", []):
        source, _, rest = mount.partition(":")
        if source.startswith("."):
            assert (ROOT / source).exists(), mount
            assert rest.endswith(":ro"), mount
        else:
            assert source in declared, mount


def test_only_the_lab_waits_for_its_profile() -> None:
    profiles = {name: service(name)["profiles"] for name in SERVICES if "profiles" in service(name)}

    assert profiles == {"lab": ["lab"]}


@pytest.mark.parametrize("name", sorted(OURS - {"lab"}))
def test_process_gets_settings_that_pass_their_checks(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = service(name)["environment"]
    monkeypatch.setattr(environment, "PROBLEMS", [])
    for variable, value in given.items():
        monkeypatch.setenv(variable, str(value))

    for path in sorted((ROOT / "reliability_studio").glob("*settings.py")):
        exec(path.read_text(), {  # what a new process reads
            "__name__": "reliability_studio.settings_of_a_container", "__file__": str(path),
        })  # fmt: skip

    assert [problem.message for problem in environment.PROBLEMS] == []


def test_any_other_setting_reaches_every_process_of_ours() -> None:
    optional = [{"path": "studio.env", "required": False}]

    reading = {name for name in SERVICES if service(name).get("env_file") == optional}

    assert reading == OURS - {"lab"}


def test_secrets_reach_no_command_line() -> None:
    for name in SERVICES:
        command = json.dumps(service(name).get("command", []))
        leaked = [variable for variable, value in REQUIRED.items() if value in command]
        assert leaked == [], name


# --- each server's own checker -----------------------------------------------------------


def with_secrets(source: Path, folder: Path) -> Path:
    """A copy whose credential files lie in `folder`, where its checker looks for them."""
    for name in filled(REQUIRED)["secrets"]:
        (folder / name).write_text("secret")
    copy = folder / source.name
    copy.write_text(source.read_text().replace("/run/secrets", str(folder)))
    return copy


def test_prometheus_accepts_its_configuration(tmp_path: Path) -> None:
    promtool = checker("prometheus", "promtool")
    configuration = with_secrets(DOCKER / "prometheus/prometheus.yml", tmp_path)
    (tmp_path / "rules").symlink_to(DOCKER / "prometheus/rules")
    (tmp_path / "scrape").mkdir()
    (tmp_path / "scrape" / "mine.yml").write_text('- targets: ["127.0.0.1:1"]\n')
    (tmp_path / "scrape" / "mine.json").write_text('[{"targets": ["127.0.0.1:1"]}]')

    said = accepted(promtool, "check", "config", configuration)

    assert "1 rule files found" in said
    assert "WARNING" not in said


def test_prometheus_accepts_its_rules() -> None:
    promtool = checker("prometheus", "promtool")

    said = accepted(
        promtool, "check", "rules", "--lint-fatal", *(DOCKER / "prometheus/rules").glob("*.yml")
    )

    assert "SUCCESS" in said


def test_prometheus_rules_fire_when_they_should(tmp_path: Path) -> None:
    promtool = checker("prometheus", "promtool")
    given = {
        'up{job="studio",service="reliability-studio"}': "1x20",
        "studio_database_up": "1x20",
        "studio_analysis_queue_oldest_seconds": "0 30 90x18",
        'studio_recent_analyses{status="failed"}': "3x20",
        'studio_recent_analyses{status="done"}': "5x20",
        'studio_data_source_breaker_state{source="loki",state="open"}': "1x20",
        'studio_data_source_breaker_state{source="loki",state="closed"}': "0x20",
        "studio_delivery_oldest_seconds": "0x20",
        'up{job="loki",instance="loki:3100"}': "0x20",
    }
    expected = {
        "StudioDown": 0, "StudioDatabaseDown": 0, "StudioAnalysesWaiting": 1,
        "StudioAnalysesFailing": 1, "StudioAnalysesSlow": 0, "StudioDataSourceNotAsked": 1,
        "StudioDeliveriesWaiting": 0, "StudioServerErrors": 0, "Watchdog": 1, "TargetDown": 1,
        "AlertsNotDelivered": 0,
    }  # fmt: skip
    samples = [
        {"expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
         "eval_time": "10m", "exp_samples": [{"labels": "{}", "value": number}]}
        for alert, number in expected.items()
    ]  # fmt: skip
    case = {
        "rule_files": [str(DOCKER / "prometheus/rules/studio.yml")],
        "evaluation_interval": "15s",
        "tests": [
            {"interval": "1m", "promql_expr_test": samples,
             "input_series": [{"series": k, "values": v} for k, v in given.items()]}
        ],
    }  # fmt: skip
    (tmp_path / "case.yml").write_text(yaml.safe_dump(case))
    rules = yaml.safe_load((DOCKER / "prometheus/rules/studio.yml").read_text())
    assert {r["alert"] for group in rules["groups"] for r in group["rules"]} == set(expected)

    accepted(promtool, "test", "rules", tmp_path / "case.yml")


def test_alertmanager_accepts_its_configuration(tmp_path: Path) -> None:
    amtool = checker("alertmanager", "amtool")
    configuration = with_secrets(DOCKER / "alertmanager/alertmanager.yml", tmp_path)

    accepted(amtool, "check-config", configuration)
    routed = [
        accepted(amtool, "config", "routes", "test", f"--config.file={configuration}", label)
        for label in ("alertname=Watchdog", "alertname=Anything")
    ]

    # the Watchdog comes too: it feeds a heartbeat
    assert [said.splitlines()[0] for said in routed] == ["reliability-studio"] * 2


def test_nginx_accepts_its_configuration() -> None:
    said = accepted(checker("nginx", "nginx"), "-t", "-c", DOCKER / "nginx.conf")

    assert "test is successful" in said
    assert "warn" not in said


def test_nginx_sets_its_headers_in_one_place() -> None:
    """A location with a proxy_set_header of its own inherits none of the server's."""
    text = (DOCKER / "nginx.conf").read_text()

    locations = re.findall(r"location [^{]+\{([^}]*)\}", text)

    assert len(locations) == 6
    assert [body for body in locations if "proxy_set_header" in body] == []


# --- what the files name of each other -----------------------------------------------------


def read(path: str) -> Any:
    return yaml.safe_load((DOCKER / path).read_text())


def test_every_host_that_a_file_names_is_a_service_and_port_of_the_stack() -> None:
    listening = {
        ("web", 8000), ("sockets", 8001), ("nginx", 9000), ("redis", 6379),
        *((name, port) for name, ports in PORTS.items() for port in ports),
    }  # fmt: skip
    texts = [
        path.read_text()
        for path in DOCKER.rglob("*")
        if path.suffix in (".yml", ".yaml", ".conf") and path.is_file()
    ] + [json.dumps(filled(REQUIRED))]
    known = "|".join(SERVICES)

    named = {
        (host, int(port))
        for text in texts
        for host, port in re.findall(rf"(?<![\w.-])({known}):(\d{{4,5}})\b", text)
    }

    assert named - listening == set()


@pytest.mark.parametrize("name", ["loki/loki.yaml", "tempo/tempo.yaml"])
def test_backend_keeps_its_data_where_the_volume_is(name: str) -> None:
    backend = name.partition("/")[0]
    mounts = [mount.split(":") for mount in service(backend)["volumes"]]
    kept = next(target for source, target, *_ in mounts if source == backend)

    paths = re.findall(r"(?:path|directory|path_prefix): (/[\w/]+)", (DOCKER / name).read_text())

    assert len(paths) >= 3
    assert [path for path in paths if not path.startswith(kept)] == []


def test_loki_has_what_the_product_asks_for() -> None:
    loki = read("loki/loki.yaml")

    assert loki["pattern_ingester"]["enabled"] is True
    assert loki["limits_config"]["allow_structured_metadata"] is True
    assert loki["limits_config"]["volume_enabled"] is True


def test_tempo_makes_a_service_graph_and_prometheus_takes_it() -> None:
    generator = read("tempo/tempo.yaml")["metrics_generator"]
    processors = read("tempo/tempo.yaml")["overrides"]["defaults"]["metrics_generator"]

    assert {"service-graphs", "local-blocks"} <= set(processors["processors"])
    assert generator["storage"]["remote_write"][0]["url"] == "http://prometheus:9090/api/v1/write"
    assert "--web.enable-remote-write-receiver" in service("prometheus")["command"]


def uids(value: Any) -> Iterator[str]:
    """Every data source uid that a structure refers to."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "datasourceUid":
                yield each
            elif key == "datasource":
                yield each["uid"]
            else:
                yield from uids(each)
    elif isinstance(value, list):
        for each in value:
            yield from uids(each)


def test_grafana_refers_only_to_data_sources_it_has() -> None:
    provisioned = read("grafana/provisioning/datasources/datasources.yaml")
    have = {each["uid"] for each in provisioned["datasources"]}
    dashboards = [
        json.loads(path.read_text()) for path in (DOCKER / "grafana/dashboards").glob("*.json")
    ]
    ours = service("web")["environment"]

    assert set(uids(provisioned)) | set(uids(dashboards)) <= have
    assert {value for name, value in ours.items() if name.endswith("_UID")} <= have


def test_dashboards_lie_where_grafana_looks() -> None:
    provider = read("grafana/provisioning/dashboards/dashboards.yaml")["providers"][0]
    mounts = [mount.split(":") for mount in service("grafana")["volumes"]]

    assert provider["options"]["path"] in {target for _, target, *_ in mounts}
    assert len(list((DOCKER / "grafana/dashboards").glob("*.json"))) >= 1


def expressions() -> list[tuple[str, str]]:
    """(where, PromQL) of every rule and panel."""
    rules = read("prometheus/rules/studio.yml")["groups"]
    found = [(rule["alert"], rule["expr"]) for group in rules for rule in group["rules"]]
    for path in sorted((DOCKER / "grafana/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            found += [(panel["title"], target["expr"]) for target in panel["targets"]]
    return [(where, text.replace("$__rate_interval", "1m")) for where, text in found]


@pytest.mark.django_db
def test_every_expression_asks_for_metrics_the_product_has(
    client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = REQUIRED["METRICS_TOKEN"]
    answer = client.get(
        "/metrics", headers={"Authorization": f"Bearer {REQUIRED['METRICS_TOKEN']}"}
    )
    families = {f.name for f in text_string_to_metric_families(answer.content.decode())}

    unknown = []
    for where, expression in expressions():
        promql_parser.parse(expression)
        for name in re.findall(r"\bstudio_\w+", expression):
            if not any(
                fnmatch(name, f"{f}{end}")
                for f in families
                for end in ("", "_bucket", "_count", "_sum")
            ):
                unknown.append(f"{where}: {name}")

    assert unknown == []


# --- the image ------------------------------------------------------------------------------


def stages() -> list[list[tuple[str, str]]]:
    """The Dockerfile's stages as (instruction, arguments) lists; what precedes FROM is left out."""
    text = re.sub(r"\\\n\s*", "", (DOCKER / "Dockerfile").read_text())
    found: list[list[tuple[str, str]]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        instruction, _, arguments = line.strip().partition(" ")
        if instruction == "FROM":
            found.append([])
        if found:
            found[-1].append((instruction, arguments))
    return found


def test_image_is_of_a_pinned_base_in_two_stages() -> None:
    base = re.search(r"^ARG PYTHON=(\S+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)

    assert base is not None
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", base[1])
    assert [dict(stage)["FROM"] for stage in stages()] == [
        "${PYTHON} AS wheels", "${PYTHON} AS studio",
    ]  # fmt: skip


def test_image_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    last = stages()[-1]
    words = [instruction for instruction, _ in last]

    assert dict(last)["USER"] == "10001:10001"
    assert words.index("USER") > max(i for i, word in enumerate(words) if word in ("RUN", "COPY"))
    assert dict(last)["STOPSIGNAL"] == "SIGTERM"
    assert "docker/healthcheck.py" in dict(last)["HEALTHCHECK"]


def test_image_installs_nothing_in_its_last_stage_and_bakes_no_secret() -> None:
    runs = [arguments for instruction, arguments in stages()[-1] if instruction == "RUN"]
    text = (DOCKER / "Dockerfile").read_text()

    assert [run for run in runs if re.search(r"\b(apt|apt-get|pip|gcc)\b", run)] == []
    assert re.findall(r"(?:ENV|ARG)[^\n]*(?:SECRET|PASSWORD|TOKEN)", text) == []


def test_image_takes_only_what_is_named() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    named = [line[1:] for line in lines if line.startswith("!")]

    assert lines[1] == "*"
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert [path for path in named if path.startswith((".env", ".git", ".studio", "tests"))] == []
    copied = {a for stage in stages() for i, a in stage if i == "COPY" and "--from" not in a}
    assert copied == {"requirements.txt docker/build.sh ./", ". ."}


def test_every_program_of_ours_is_in_the_image() -> None:
    """Commands name only files that .dockerignore lets in."""
    named = set()
    for name in OURS:
        given = service(name)
        named |= set(
            re.findall(r"docker/[\w.]+", json.dumps([given["command"], given["healthcheck"]]))
        )
    allowed = (ROOT / ".dockerignore").read_text().splitlines()

    assert named == {"docker/gunicorn.conf.py", "docker/healthcheck.py"}
    assert [path for path in named if f"!{path}" not in allowed] == []
