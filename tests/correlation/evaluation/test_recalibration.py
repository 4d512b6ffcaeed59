from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from correlation.calibration import FEATURES, parse
from correlation.evaluation.accuracy_page import calibration_section, with_section
from correlation.evaluation.answers import SIMULATED, Answer, samples_of
from correlation.evaluation.recalibration import recalibrated


def make_answer(n: int, **changes: Any) -> Answer:
    """A ranking that is right if it is strong; systems a, b and c in turn."""
    strength = float(np.random.default_rng(n).normal(0.0, 2.0))
    given = {
        "case": f"case {n}",
        "system": "abc"[n % 3],
        "service": "shop",
        "named": "shop" if strength > -0.5 + 0.1 * (n % 7) else "cart",
        "features": dict.fromkeys(FEATURES, 0.5) | {"strength": strength},
        "condition": "all",
    }
    return given | changes


def healthy(n: int, strength: float, **changes: Any) -> Answer:
    features = dict.fromkeys(FEATURES, 0.5) | {"strength": strength}
    return make_answer(n, case=f"quiet {n}", service=None, features=features, **changes)


@pytest.fixture
def answers() -> list[Answer]:
    found = [make_answer(n) for n in range(90)]
    return found + [healthy(n, -1.0 - n % 5, system="a") for n in range(100, 140)]


def test_recalibrated_holds_on_systems_the_fit_never_saw(answers: list[Answer]) -> None:
    document = recalibrated(answers, "2026-11-22").document

    unseen = document["cross_validated"]["unseen_system"]
    assert (unseen["n"], document["datasets"]["a"]["cases"]) == (90, 30)
    assert unseen["ece"] < 0.15
    assert unseen["brier"] < unseen["base_rate_brier"]


def test_recalibrated_keeps_healthy_windows_below_the_threshold(answers: list[Answer]) -> None:
    document = recalibrated(answers, "2026-11-22").document
    fitted = parse(document)

    said = [fitted.probability(one["features"]) for one in answers if one["service"] is None]
    assert np.mean([chance < fitted.abstain_below for chance in said]) >= 0.95


def test_recalibrated_is_the_same_every_time(answers: list[Answer]) -> None:
    first, second = (recalibrated(answers, "2026-11-22").document for _ in range(2))

    assert json.dumps(first) == json.dumps(second)


def test_recalibrated_needs_somebody_named() -> None:
    with pytest.raises(ValueError, match="names anybody"):
        recalibrated([make_answer(1, named=None)], "2026-11-22")


def test_samples_weigh_a_case_the_same_however_often_it_was_shown() -> None:
    shown = [make_answer(1), make_answer(1, condition="60 s"), make_answer(2)]

    assert [one.weight for one in samples_of(shown)] == [0.5, 0.5, 1.0]


def test_samples_weigh_simulated_incidents_together_as_a_quarter_of_the_cases() -> None:
    shown = [make_answer(n) for n in range(8)]
    shown += [make_answer(n, system=SIMULATED) for n in range(100, 150)]

    weights = [one.weight for one in samples_of(shown)]

    assert (sum(weights[:8]), round(sum(weights[8:]), 9)) == (8.0, 2.0)


def test_calibrate_writes_an_artefact_that_can_be_read(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.json", tmp_path / "artefact.json"
    rows.write_text(json.dumps([make_answer(n) for n in range(60)]))
    said = io.StringIO()
    (tmp_path / "cases").mkdir()

    call_command("calibrate", str(tmp_path / "cases"), answers=[rows], out=out, jobs=1, stdout=said)

    artefact = parse(json.loads(out.read_text()))
    assert (artefact.n, artefact.version[:2]) == (60, "20")
    assert "never seen by the fit" in said.getvalue()


def test_calibrate_names_a_case_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "incident.json").write_text("{}")

    with pytest.raises(CommandError, match=r"incident\.json: start must be a number"):
        call_command("calibrate", str(tmp_path), jobs=1, stdout=io.StringIO())


def test_with_section_replaces_what_stands_between_the_comments() -> None:
    page = "a\n<!-- x: generated -->\nold\n<!-- x: end -->\nb\n"

    assert with_section(page, "x", "new\n") == page.replace("old", "new")
    with pytest.raises(ValueError, match="no section 'y'"):
        with_section(page, "y", "new")


def test_calibration_section_has_a_row_for_each_system(answers: list[Answer]) -> None:
    found = recalibrated(answers, "2026-11-22")

    section = calibration_section(found.document, found.bins, "reliability.svg")

    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")]
    assert [row for row in rows if row in ("| a", "| b", "| c")] == ["| a", "| b", "| c"]
