"""Confirmed causes become cases that evaluate_rca reads, and that rank as the analysis did."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from correlation import engine
from correlation.evaluation.case_files import BadCase, find_cases, label_of, read_case
from correlation.evaluation.cases import Conditions, telemetry_of
from correlation.evaluation.export import not_carried, write_case
from correlation.memory import snapshots, verdicts
from correlation.models import Analysis, EvidenceSnapshot, RootCause
from correlation.ranking import rank
from correlation.telemetry import LogPattern, Ranking, Span, Telemetry, WorkloadState
from incidents.models import Incident
from tests.correlation.analysed import analysed
from tests.correlation.conftest import Backend
from tests.correlation.incidents import START
from tests.correlation.incidents import incident as telemetry_seen
from tests.correlation.lab_backend import serve, shop_incident

MakeIncident = Callable[..., Incident]
LABEL = {"system": "production", "root_cause_service": "payment", "fault_type": "pool"}


def run(*arguments: object) -> list[str]:
    out = StringIO()
    call_command("export_cases", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


def answer(ranking: Ranking) -> list[tuple[str, str, float]]:
    return [(c.service, c.kind, pytest.approx(c.confidence, abs=1e-6)) for c in ranking.causes]


def written(root: Path, telemetry: Telemetry, conditions: Conditions | None = None) -> Telemetry:
    directory = root / "production" / "INC-1"
    write_case(directory, telemetry, LABEL, {"title": "Payments fail"})
    return telemetry_of(read_case(directory), conditions)


def with_spans_and_states(telemetry: Telemetry) -> Telemetry:
    spans = tuple(
        Span("a" * 32, f"{n:016x}", "", "payment", "POST /pay", "server", START + n, 0.5,
             failed=n % 2 == 0, message="pool exhausted", attributes=(("version", "7"),),
             sampled_as="failed")
        for n in range(8)
    )  # fmt: skip
    state = WorkloadState("payment", "payment-7", "OOMKilled", START + 5.0, 2,
                          attributes=(("namespace", "shop"),))  # fmt: skip
    return replace(telemetry, spans=spans, workloads=(state,), trace_source="tempo")


@pytest.mark.parametrize("fault", ["pool", "crash", "slow_db", "deploy", "network"])
def test_an_exported_case_ranks_as_what_was_exported(tmp_path: Path, fault: str) -> None:
    seen = telemetry_seen(fault, seed=3)

    again = written(tmp_path, seen)

    assert answer(rank(again)) == answer(rank(seen))
    assert rank(again).causes[0].change == rank(seen).causes[0].change


def test_spans_states_roles_and_windows_come_back(tmp_path: Path) -> None:
    seen = with_spans_and_states(telemetry_seen("pool"))

    again = written(tmp_path, seen)

    assert [(s.span_id, s.kind, s.failed, s.message, s.attributes) for s in again.spans] == [
        (s.span_id, s.kind, s.failed, s.message, s.attributes) for s in seen.spans
    ]
    assert again.workloads == seen.workloads
    assert (again.roles, again.window, again.baseline, again.as_of) == (
        seen.roles, seen.window, seen.baseline, seen.as_of,
    )  # fmt: skip
    by_key = {one.key: one for one in again.series}
    assert set(by_key) == {one.key for one in seen.series}
    assert all(by_key[s.key].values.tolist() == s.values.tolist() for s in seen.series)
    assert all(by_key[s.key].query == s.query for s in seen.series)


def test_times_of_lines_are_carried_to_the_microsecond(tmp_path: Path) -> None:
    seen = telemetry_seen("pool")

    again = written(tmp_path, seen)

    pairs = zip(again.logs, sorted(seen.logs, key=lambda x: (x.at, x.service, x.message)),
                strict=True)  # fmt: skip
    assert max(abs(here.at - there.at) for here, there in pairs) < 1e-6


def test_a_horizon_and_a_missing_source_apply_as_to_any_case(tmp_path: Path) -> None:
    seen = telemetry_seen("pool", since=60.0)
    conditions = Conditions(horizon_seconds=10.0, without=frozenset({"logs", "graph"}))

    again = written(tmp_path, seen, conditions)

    assert again.as_of <= seen.started_at + 10.0
    assert (again.logs, again.edges, again.log_source) == ((), (), "")
    assert again.window[0] == seen.window[0]


def test_another_reader_finds_plain_tables(tmp_path: Path) -> None:
    """Without `exact`, as a reader that does not know it: the usual signals are still named."""
    directory = tmp_path / "production" / "INC-1"
    seen = telemetry_seen("pool")
    write_case(directory, seen, LABEL, {})
    incident = json.loads((directory / "incident.json").read_text())
    del incident["exact"]
    (directory / "incident.json").write_text(json.dumps(incident))

    plain = telemetry_of(read_case(directory))

    known = {"error_ratio", "latency_p95", "request_rate", "cpu_saturation"}
    assert known <= {one.signal for one in plain.series}
    assert rank(plain).causes[0].service == "payment"


def test_what_is_lost_is_named_in_the_case(tmp_path: Path) -> None:
    pattern = LogPattern("timeout <_>", "error", ((START, 4),), 60.0)
    seen = replace(telemetry_seen("pool"), log_patterns=(pattern,), missing=("no traces",))

    written(tmp_path, seen)

    told = json.loads((tmp_path / "production" / "INC-1" / "incident.json").read_text())
    assert told["not_carried"] == [
        "1 log patterns counted by the log store", "which sources were missing",
    ]  # fmt: skip
    assert not_carried(telemetry_seen("pool")) == []


def test_the_same_case_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_case(tmp_path / name, telemetry_seen("pool"), LABEL, {})

    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    assert first == second


@pytest.mark.parametrize("damage", [{"columns": 3}, {"roles": None}])
def test_a_damaged_exact_is_a_bad_case(tmp_path: Path, damage: dict[str, Any]) -> None:
    directory = tmp_path / "case"
    write_case(directory, telemetry_seen("pool"), LABEL, {})
    told = json.loads((directory / "incident.json").read_text())
    told["exact"] = damage
    (directory / "incident.json").write_text(json.dumps(told))

    with pytest.raises(BadCase, match=r"incident\.json: exact lacks"):
        read_case(directory)


@pytest.fixture
def confirmed(make_incident: MakeIncident) -> Analysis:
    incident = make_incident()
    analysis = analysed(incident, telemetry_seen("pool"))
    cause = RootCause.objects.get(analysis=analysis, rank=1)
    verdicts.give(incident_id=incident.pk, actor=None, verdict="confirmed", cause=cause)
    return analysis


def test_a_confirmed_cause_becomes_a_labelled_case(tmp_path: Path, confirmed: Analysis) -> None:
    lines = run(tmp_path)

    (directory,) = find_cases([tmp_path])
    label = label_of(directory)
    assert lines == [
        f"{confirmed.incident.reference}: {directory}", "1 cases written, 0 not",
    ]  # fmt: skip
    assert (label.system, label.service, label.fault_type, label.change) == (
        "production", "payment", "connection_pool_exhaustion", None,
    )  # fmt: skip


def test_evaluate_rca_reads_what_was_exported(tmp_path: Path, confirmed: Analysis) -> None:
    run(tmp_path)
    figures = tmp_path / "figures.json"

    call_command("evaluate_rca", str(tmp_path), "--only", "--json", str(figures), stdout=StringIO())

    overall = json.loads(figures.read_text())["overall"]
    assert (overall["n"], overall["ac1"]) == (1, 1.0)


def test_calibrate_refuses_cases_of_one_system_in_words(
    tmp_path: Path, confirmed: Analysis
) -> None:
    run(tmp_path)

    with pytest.raises(CommandError, match="two systems or more are needed"):
        call_command("calibrate", str(tmp_path), "--out", str(tmp_path / "fit"), "--jobs", "1")


def test_the_change_a_confirmed_cause_blamed_is_in_the_label(
    tmp_path: Path, make_incident: MakeIncident
) -> None:
    incident = make_incident()
    analysis = analysed(incident, telemetry_seen("deploy"))
    cause = RootCause.objects.get(analysis=analysis, rank=1)
    verdicts.give(incident_id=incident.pk, actor=None, verdict="confirmed", cause=cause)

    run(tmp_path)

    assert label_of(find_cases([tmp_path])[0]).change == cause.change == "d-2"


def test_the_judged_run_is_taken_before_a_later_one(tmp_path: Path, confirmed: Analysis) -> None:
    analysed(confirmed.incident, telemetry_seen("pool", since=90.0))

    run(tmp_path)

    told = json.loads((find_cases([tmp_path])[0] / "incident.json").read_text())
    assert told["analysis"] == str(confirmed.pk)


def test_what_has_no_telemetry_left_is_told(tmp_path: Path, confirmed: Analysis) -> None:
    EvidenceSnapshot.objects.update(state="expired", note="kept for 90 days.", telemetry=None)

    lines = run(tmp_path)

    assert lines == [
        f"{confirmed.incident.reference}: not written, analysis {confirmed.pk}: "
        "Expired: kept for 90 days.",
        "0 cases written, 1 not",
    ]


def test_a_verdict_taken_back_is_no_case(tmp_path: Path, confirmed: Analysis) -> None:
    cause = RootCause.objects.get(analysis=confirmed, rank=1)
    verdicts.give(incident_id=confirmed.incident_id, actor=None, verdict="withdrawn", cause=cause)

    assert run(tmp_path) == ["0 cases written, 0 not"]


def test_since_leaves_out_what_started_before(tmp_path: Path, confirmed: Analysis) -> None:
    assert run(tmp_path, "--since", "2100-01-01") == ["0 cases written, 0 not"]


def test_a_file_for_a_directory_is_refused(db: None, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")

    with pytest.raises(CommandError, match="is not a directory"):
        run(path)


def test_a_live_analysis_comes_back_from_its_case(
    db: None, tmp_path: Path, backend: Backend, settings: Any
) -> None:
    incident = shop_incident("frontend", serve(backend, settings, "pool-exhaustion"))
    engine.run_waiting()
    analysis = incident.analyses.get()
    cause = RootCause.objects.get(analysis=analysis, rank=1)
    verdicts.give(incident_id=incident.pk, actor=None, verdict="confirmed", cause=cause)

    run(tmp_path)

    again = rank(telemetry_of(read_case(find_cases([tmp_path])[0])))
    before = rank(snapshots.load(analysis))
    assert [(c.service, c.kind) for c in again.causes] == [
        (c.service, c.kind) for c in before.causes
    ]
