"""Grouping accuracy, its F1 and new templates on hand-made labels; the command on small files."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from correlation.evaluation.log_accuracy import Grouping, Novelty, grouping, novelty


@pytest.mark.parametrize(
    ("found", "events", "result"),
    [
        ("aabb", "xxyy", Grouping(1.0, 1.0, 2, 2, 2)),
        ("aaaa", "xxyy", Grouping(0.0, 0.0, 1, 2, 0)),
        ("abcc", "xxyy", Grouping(0.5, 0.4, 3, 2, 1)),
        ("aabb", "xxxy", Grouping(0.0, 0.0, 2, 2, 0)),
        ("", "", Grouping(1.0, 1.0, 0, 0, 0)),
    ],
)
def test_grouping_counts_lines_and_groups_that_agree(
    found: str, events: str, result: Grouping
) -> None:
    assert grouping(found, events) == result


@pytest.mark.parametrize(
    ("found", "events", "result"),
    [
        ("abab", "xyxy", Novelty(0, 0, 0, 0)),
        ("abac", "xyxz", Novelty(1, 1, 1, 1)),
        ("abaa", "xyxz", Novelty(1, 0, 0, 0)),  # merged into a known one
        ("abcd", "xyxz", Novelty(1, 1, 2, 1)),  # a known event looks new
    ],
)
def test_novelty_looks_for_what_the_first_half_does_not_hold(
    found: str, events: str, result: Novelty
) -> None:
    assert novelty(found, events) == result


def test_novelty_shares_are_none_when_nothing_is_new() -> None:
    nothing = Novelty()

    assert (nothing.precision, nothing.recall) == (None, None)
    assert Novelty(4, 3, 5, 4).precision == 0.8
    assert Novelty(4, 3, 5, 4).recall == 0.75


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="1 templates for 2 labelled lines"):
        novelty("a", "xy")
    with pytest.raises(ValueError, match="argument 2 is longer"):
        grouping("a", "xy")


def write_system(folder: Path, name: str, rows: list[tuple[str, str]], packed: bool) -> None:
    raw = "".join(
        f"2026-11-22 00:00:{at:02} INFO app: {text}\n" for at, (text, _) in enumerate(rows)
    )
    labels = "LineId,Content,EventId\n" + "".join(
        f'{at},"{text}",{event}\n' for at, (text, event) in enumerate(rows, 1)
    )
    for path, text in (
        (folder / f"{name}_2k.log", raw),
        (folder / f"{name}_2k.log_structured.csv", labels),
    ):
        if packed:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text)


ROWS = [("took 3 ms", "E1"), ("user 7 left", "E2"), ("took 9 ms", "E1"), ("disk is full", "E3")]


@pytest.mark.parametrize("packed", [True, False])
def test_evaluate_logs_scores_each_system_and_writes_json(tmp_path: Path, packed: bool) -> None:
    write_system(tmp_path, "Shop", ROWS, packed)
    out, file = StringIO(), tmp_path / "figures.json"

    call_command("evaluate_logs", str(tmp_path), "--json", str(file), stdout=out)

    told = json.loads(file.read_text())
    shop = told["by_system"]["Shop"]
    assert (shop["ga"], shop["fga"], shop["new_precision"], shop["new_recall"]) == (1, 1, 1, 1)
    assert told["overall"] == shop
    assert out.getvalue().splitlines()[1].split()[:4] == ["Shop", "1.000", "1.000", "3/3"]


def test_evaluate_logs_names_what_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No labelled log"):
        call_command("evaluate_logs", str(tmp_path))
    with pytest.raises(CommandError, match="is not a directory"):
        call_command("evaluate_logs", str(tmp_path / "absent"))

    write_system(tmp_path, "Shop", ROWS, packed=False)
    (tmp_path / "Shop_2k.log").write_text("one line\n")

    with pytest.raises(CommandError, match=r"Shop_2k.log has 1 lines, .* has 4"):
        call_command("evaluate_logs", str(tmp_path))
