from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from correlation.evaluation.case_files import BadCase, find_cases, read_case
from correlation.evaluation.cases import Conditions, telemetry_of

START = 1_700_000_000.0


def write_rows(path: Path, rows: list[list[Any]]) -> None:
    with gzip.open(path, "wt", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """shop calls cart; cart alone gets slower at the start; steps of five minutes."""
    directory = tmp_path / "system" / "001"
    directory.mkdir(parents=True)
    rows: list[list[Any]] = [
        ["time", "shop_latency-avg", "shop_requests", "cart_latency-avg", "cart_requests",
         "mail_latency-avg", "mail_requests"]
    ]  # fmt: skip
    for n in range(-24, 4):
        slow = 0.4 if n >= 0 else 0.0
        jitter = 0.002 * (n % 3)
        rows.append(
            [START + 300 * n, 0.1 + slow + jitter, 900, 0.05 + slow + jitter, 900, 0.02, 300]
        )
    write_rows(directory / "metrics.csv.gz", rows)
    (directory / "graph.csv").write_text("caller,callee\nshop,cart\nshop,mail\n")
    told = {"start": START, "service": "shop", "step": 300}
    (directory / "incident.json").write_text(json.dumps(told))
    label = {"system": "system", "root_cause_service": "cart", "fault_type": "latency"}
    (directory / "label.json").write_text(json.dumps(label))
    return directory


def test_read_case_gives_series_and_graph(case: Path) -> None:
    found = read_case(find_cases([case.parents[1]])[0])

    assert [one.key for one in found.recorded.series if one.service == "cart"] == [
        "metric:cart:latency_mean",
        "metric:cart:request_rate",
    ]
    assert found.edges == (("shop", "cart"), ("shop", "mail"))


def test_telemetry_ends_at_the_horizon_and_leaves_out_what_it_is_told_to(case: Path) -> None:
    read = read_case(case)

    seen = telemetry_of(read, Conditions(300.0, frozenset({"graph", "requests"})))

    assert (seen.as_of, seen.edges) == (START + 300.0, ())
    assert {one.signal for one in seen.series} == {"latency_mean"}
    assert max(float(one.times[-1]) for one in seen.series) == START + 300.0


def test_late_notice_moves_the_start(case: Path) -> None:
    seen = telemetry_of(read_case(case), Conditions(late_seconds=300.0))

    assert (seen.started_at, seen.window[0]) == (START + 300.0, START)


def test_evaluate_rca_ranks_the_callee_first_and_writes_the_figures(
    case: Path, tmp_path: Path
) -> None:
    target, out = tmp_path / "figures.json", io.StringIO()

    call_command("evaluate_rca", str(case.parents[1]), json=target, healthy=True, stdout=out)

    report = json.loads(target.read_text())
    assert (report["overall"]["n"], report["overall"]["ac1"]) == (1, 1.0)
    assert set(report["baselines"]) == {"random", "nsigma"}
    assert [(one["truth"], one["ranked"][:1]) for one in report["cases"]] == [
        ("cart", ["cart"]),
        *[(None, [])] * 2,
    ]
    assert report["overall"]["healthy_silent"] == 1.0
    assert "healthy windows without an answer: 1.000" in out.getvalue()


def test_evaluate_rca_answers_the_same_twice(case: Path, tmp_path: Path) -> None:
    files = [tmp_path / "one.json", tmp_path / "two.json"]

    for file in files:
        call_command("evaluate_rca", str(case), json=file, only=True, stdout=io.StringIO())

    first, second = (json.loads(file.read_text())["cases"] for file in files)
    assert first == second


def test_evaluate_rca_counts_a_case_without_culprit_as_a_healthy_window(
    case: Path, tmp_path: Path
) -> None:
    (case / "label.json").write_text('{"system": "system", "root_cause_service": null}')
    target = tmp_path / "figures.json"

    call_command("evaluate_rca", str(case), json=target, only=True, stdout=io.StringIO())

    overall = json.loads(target.read_text())["overall"]
    assert (overall["n"], overall["ac1"], overall["healthy_silent"]) == (0, None, 0.0)


def test_evaluate_rca_names_a_broken_case(case: Path) -> None:
    (case / "label.json").write_text("{}")

    with pytest.raises(CommandError, match=r"label\.json: root_cause_service is missing"):
        call_command("evaluate_rca", str(case), only=True, stdout=io.StringIO())


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("incident.json", '{"start": "noon"}', "incident.json: start must be a number"),
        ("incident.json", "[]", "incident.json: must be an object"),
        ("incident.json", '{"start": 1, "step": "1m"}', "step must be a number"),
        ("incident.json", '{"start": 1, "baseline": "gone"}', "baseline: there is no directory"),
        ("incident.json", '{"start": 1, "service": 7}', "service must be a text"),
        ("graph.csv", "caller,called\nshop,cart\n", "graph.csv: row 2: callee is missing"),
        ("logs.csv", "timestamp,service,message\nnoon,shop,x\n", "row 2: timestamp must be"),
        ("traces.csv", "traceID,spanID\n1,2\n", "traces.csv: row 2: parentSpanID is missing"),
        ("changes.json", '{"id": 1}', "changes.json: must be a list"),
        ("changes.json", '[{"id": "a"}]', "change 1: at must be a number"),
        ("metrics.csv.gz", "not gzip", "metrics.csv.gz: Not a gzipped file"),
    ],
)
def test_read_case_names_the_file_and_the_field(
    case: Path, file: str, text: str, said: str
) -> None:
    (case / file).write_text(text)

    with pytest.raises(BadCase, match=said):
        read_case(case)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([START, "fast"], "row 2: shop_latency must be a number, not 'fast'"),
        (["", 1.0], "row 2: time must be a number"),
        ([START], "row 2 has 1 cells, the header 2"),
    ],
)
def test_read_case_names_the_row_of_a_bad_sample(case: Path, row: list[Any], said: str) -> None:
    write_rows(case / "metrics.csv.gz", [["time", "shop_latency"], row])

    with pytest.raises(BadCase, match=said):
        read_case(case)


def test_read_case_needs_only_the_incident(case: Path) -> None:
    for file in ("metrics.csv.gz", "graph.csv", "label.json"):
        (case / file).unlink()

    found = read_case(case)

    assert (found.recorded.series, found.edges, found.changes) == ((), (), ())


def test_blank_cells_are_no_samples(case: Path) -> None:
    rows = [["time", "shop_latency"], [START, ""], [START + 300, 0.2]]
    write_rows(case / "metrics.csv.gz", rows)

    (series,) = read_case(case).recorded.series

    assert series.times.tolist() == [START + 300]
