"""Accuracy on logs nothing was fitted to, and what must not change it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from correlation.evaluation.log_accuracy import Novelty, grouping, novelty
from correlation.logs.patterns import fingerprints
from tests.correlation.made_up_logs import Lines, made, systems

SYSTEMS = {system.name: made(system) for system in systems()}

# their frequent statements take two or three plain words (running, stopped), which stay apart
FLOORS = {"windows_events": (0.5, 0.75), "phone_app": (0.85, 0.55), "game_server": (0.8, 0.6)}


def _ids(log: Lines) -> list[str]:
    return [identity for _, identity, _ in fingerprints(log.lines)]


def test_the_corpus_is_large_enough_to_judge_by() -> None:
    sizes = {name: (len(log.lines), len(set(log.events))) for name, log in SYSTEMS.items()}

    assert len(sizes) >= 30
    assert min(lines for lines, _ in sizes.values()) >= 1400
    assert min(events for _, events in sizes.values()) >= 29


def test_the_corpus_is_the_same_in_every_run() -> None:
    again = {system.name: made(system) for system in systems()}

    assert again == SYSTEMS


def test_groups_and_new_templates_reach_the_target_on_average() -> None:
    found = {name: _ids(log) for name, log in SYSTEMS.items()}

    scores = [grouping(found[name], log.events) for name, log in SYSTEMS.items()]
    new = sum((novelty(found[name], log.events) for name, log in SYSTEMS.items()), Novelty())

    assert sum(score.accuracy for score in scores) / len(scores) >= 0.94
    assert sum(score.f1 for score in scores) / len(scores) >= 0.86
    assert (new.precision or 0.0) >= 0.97
    assert (new.recall or 0.0) >= 0.98


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_every_system_is_grouped_well(name: str) -> None:
    score = grouping(_ids(SYSTEMS[name]), SYSTEMS[name].events)

    accuracy, f1 = FLOORS.get(name, (0.85, 0.65))
    assert score.accuracy >= accuracy
    assert score.f1 >= f1


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_ids_hold_when_a_part_of_the_lines_is_seen(name: str) -> None:
    log = SYSTEMS[name]
    whole = dict(zip(log.lines, _ids(log), strict=True))

    part = log.lines[::3]
    same = sum(
        identity == whole[line]
        for line, (_, identity, _) in zip(part, fingerprints(part), strict=True)
    )

    assert same / len(part) >= 0.9


def test_templates_do_not_depend_on_the_hash_seed() -> None:
    program = (
        "from correlation.logs.patterns import fingerprints\n"
        "from tests.correlation.made_up_logs import made, systems\n"
        "print([fingerprints(made(s).lines) for s in systems() if s.name[0] in 'fs'])"
    )

    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(answers) == 1
