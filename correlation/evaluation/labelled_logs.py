"""Labelled logs on disk, templated by us and by drain3, and scored: no part of the live engine.

A system is a pair of files in one folder, plain or gzipped: `X.log`, raw lines, and
`X.log_structured.csv`, the same lines with `Content` (the message) and `EventId`.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import importlib.util
import logging
import multiprocessing
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from correlation.evaluation.log_accuracy import Grouping, Novelty, grouping, novelty
from correlation.logs.masks import MASKS
from correlation.logs.patterns import fingerprints

Templater = Callable[[Sequence[str]], Sequence[Hashable]]

RAW, MESSAGES = "raw", "messages"
OURS = "studio"
SUFFIX = ".log_structured.csv"


@dataclass(frozen=True)
class LabelledLog:
    system: str
    lines: list[str]
    messages: list[str]
    events: list[str]


@dataclass(frozen=True)
class Run:
    """One way of templating one system. `seconds` is CPU time."""

    grouping: Grouping
    novelty: Novelty
    lines: int
    seconds: float


def find_logs(directories: Iterable[Path]) -> list[LabelledLog]:
    """The labelled systems below the directories, by name; ValueError where files disagree."""
    found: dict[str, LabelledLog] = {}
    for directory in directories:
        for labels in sorted(directory.rglob(f"*{SUFFIX}*")):
            if labels.name.endswith((SUFFIX, f"{SUFFIX}.gz")):
                log = _read(labels)
                found[log.system] = log
    return [found[system] for system in sorted(found)]


def has_drain3() -> bool:
    return importlib.util.find_spec("drain3") is not None


def ways() -> list[tuple[str, str, Templater]]:
    """(name, what it is given, templater): ours on raw lines first; drain3 when installed."""
    ours: list[tuple[str, str, Templater]] = [
        (OURS, RAW, _ours),
        (f"{OURS}, message only", MESSAGES, _ours),
    ]
    if not has_drain3():
        return ours
    return [
        *ours,
        ("drain3", MESSAGES, template_with_drain3),
        ("drain3, equal masks", MESSAGES, _drain3_masked),
        ("drain3, equal masks, raw", RAW, _drain3_masked),
    ]


def run(log: LabelledLog, given: str, templater: Templater) -> Run:
    """Template one system in a process of its own: no memory of another run makes it faster."""
    lines = log.lines if given == RAW else log.messages
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found, seconds = pool.apply(_timed, (templater, lines))
    return Run(grouping(found, log.events), novelty(found, log.events), len(lines), seconds)


def figures(runs: Sequence[Run]) -> dict[str, Any]:
    """Mean accuracy over systems, new templates and lines a CPU second over all their lines."""
    new = sum((one.novelty for one in runs), Novelty())
    return {
        "ga": sum(one.grouping.accuracy for one in runs) / len(runs),
        "fga": sum(one.grouping.f1 for one in runs) / len(runs),
        "groups_found": sum(one.grouping.found for one in runs),
        "groups_true": sum(one.grouping.true for one in runs),
        "new_precision": new.precision,
        "new_recall": new.recall,
        "new_true": new.true,
        "new_flags": new.flags,
        "lines": sum(one.lines for one in runs),
        "lines_per_second": sum(one.lines for one in runs) / sum(one.seconds for one in runs),
    }


def evaluate(logs: Sequence[LabelledLog]) -> dict[str, Any]:
    """{"overall", "by_system", "baselines": {name: {"overall", "by_system"}}, "speed_ratio"}.

    `speed_ratio` is our lines a second over drain3's with our masks, both given the messages;
    None without drain3.
    """
    told: dict[str, Any] = {}
    for name, given, templater in ways():
        runs = {log.system: run(log, given, templater) for log in logs}
        told[name] = {
            "overall": figures(list(runs.values())),
            "by_system": {system: figures([one]) for system, one in runs.items()},
        }
    ratio = None
    if "drain3, equal masks" in told:
        ours, theirs = told[f"{OURS}, message only"], told["drain3, equal masks"]
        ratio = ours["overall"]["lines_per_second"] / theirs["overall"]["lines_per_second"]
    return {**told.pop(OURS), "baselines": told, "speed_ratio": ratio}


def _timed(templater: Templater, lines: Sequence[str]) -> tuple[Sequence[Hashable], float]:
    start = time.process_time()
    found = templater(lines)
    return found, max(time.process_time() - start, 1e-9)


def _ours(lines: Sequence[str]) -> Sequence[Hashable]:
    return [identity for _, identity, _ in fingerprints(lines)]


def template_with_drain3(
    lines: Sequence[str], masks: Sequence[tuple[str, str]] = ()
) -> Sequence[Hashable]:
    """Cluster of each line by drain3's defaults; `masks` are (name, expression)."""
    logging.getLogger("drain3").setLevel(logging.WARNING)
    settings = importlib.import_module("drain3.template_miner_config").TemplateMinerConfig()
    instruction = importlib.import_module("drain3.masking").MaskingInstruction
    settings.masking_instructions = [instruction(regex, name) for name, regex in masks]
    miner = importlib.import_module("drain3").TemplateMiner(config=settings)
    return [miner.add_log_message(line)["cluster_id"] for line in lines]


def _drain3_masked(lines: Sequence[str]) -> Sequence[Hashable]:
    return template_with_drain3(lines, MASKS)


def _read(labels: Path) -> LabelledLog:
    stem = labels.name[: labels.name.index(SUFFIX)]
    raw = next(
        (path for path in (labels.with_name(f"{stem}.log"), labels.with_name(f"{stem}.log.gz"))
         if path.exists()), None,
    )  # fmt: skip
    if raw is None:
        raise ValueError(f"{labels.name} has no {stem}.log or {stem}.log.gz beside it")
    with _opened(raw) as file:
        lines = [line.rstrip("\r\n") for line in file]
    with _opened(labels) as file:
        rows = list(csv.DictReader(file))
    missing = {"Content", "EventId"} - set(rows[0] if rows else ())
    if missing:
        raise ValueError(f"{labels.name} has no column {' and no column '.join(sorted(missing))}")
    if len(rows) != len(lines):
        raise ValueError(f"{raw.name} has {len(lines)} lines, {labels.name} has {len(rows)}")
    system = stem.removesuffix("_2k")
    return LabelledLog(
        system, lines, [row["Content"] for row in rows], [row["EventId"] for row in rows]
    )


def _opened(path: Path) -> TextIO:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    file: TextIO = opener(path, "rt", encoding="utf-8", errors="replace", newline="\n")
    return file
