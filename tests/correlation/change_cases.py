"""Hand-made incidents that ask which change did it, or none. Nothing here is read by the product.

Each case of change_cases.yaml is what its mechanism does to a few signals (`move`), what programs
say about it (`says`), and the changes around it: the one that did it (`guilty`, or none), decoys
near it, and everyday ones. Seconds count from when the incident was noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import yaml

from correlation.telemetry import SIGNAL_UNITS, Change, LogLine, Series, Telemetry

START = 1_900_000_000.0
STEP = 30.0
BEFORE, AFTER = 5400.0, 600.0
LEAD = 300.0
EVERYDAY = (
    ("docs: explain the on-call handover", "docs/oncall.md"),
    ("Add pagination examples to the SDK readme", "README.md"),
    ("test: cover the rounding of empty invoices", "tests/invoices/test_rounding.py"),
    ("build: pin the formatter in pre-commit", ".pre-commit-config.yaml"),
    ("Rename internal helper for clarity", "libs/text/slug.py"),
    ("chore: drop dead feature gate", "libs/gates/old.py"),
    ("feat: export build info as a metric", "libs/buildinfo/info.py"),
    ("i18n: new Portuguese strings", "web/locales/pt.json"),
    ("refactor: split the address model", "libs/address/model.py"),
    ("ci: run the linters in parallel", ".github/workflows/lint.yml"),
    ("perf: intern country codes", "libs/address/country.py"),
    ("fix: trim white space in coupon codes", "libs/coupons/parse.py"),
)


@dataclass(frozen=True)
class ChangeCase:
    name: str
    service: str
    guilty: str | None
    telemetry: Telemetry


def read_cases() -> list[ChangeCase]:
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return [_case(told) for told in yaml.safe_load(text)]


def _case(told: dict[str, Any]) -> ChangeCase:
    rng = np.random.default_rng(crc32(told["name"].encode()))
    edges = tuple((caller, callee) for caller, callee in told["calls"])
    names = sorted({end for edge in edges for end in edge})
    healthy = [
        {"service": name, "signal": signal, "before": level, "after": level, "onset": 0.0}
        for n, name in enumerate(names)
        for signal, level in (("latency_p99", 0.05 + 0.02 * n), ("error_ratio", 0.002))
    ]
    series = {}
    for moved in (*healthy, *told.get("move", ())):
        series[moved["service"], moved["signal"]] = _series(rng, **moved)
    lines = [
        LogLine(name, START + float(at), "request done", "info")
        for name in names
        for at in np.arange(-BEFORE, AFTER, 120.0)
    ]
    for said in told.get("says", ()):
        lines += _lines(rng, **said)
    return ChangeCase(
        name=told["name"],
        service=told["service"],
        guilty=None if told["guilty"] == "none" else told["guilty"],
        telemetry=Telemetry(
            target=told["service"],
            started_at=START,
            as_of=START + AFTER,
            baseline=(START - BEFORE, START - LEAD),
            window=(START - LEAD, START + AFTER),
            series=tuple(series.values()),
            logs=tuple(lines),
            edges=edges,
            changes=(*_everyday(rng), *_changes(told)),
            log_source="logs",
            log_baseline_seconds=BEFORE - LEAD,
            log_window_seconds=LEAD + AFTER,
        ),
    )


def _series(
    rng: np.random.Generator, service: str, signal: str, before: float, after: float,
    onset: float, ramp: float = 60.0, unit: str = "",
) -> Series:  # fmt: skip
    """A signal that goes from one level to another over `ramp` seconds from `onset` on."""
    times = np.arange(-BEFORE, AFTER + 1.0, STEP)
    level = before + (after - before) * np.clip((times - onset) / ramp, 0.0, 1.0)
    values = np.maximum(level * (1.0 + 0.04 * rng.standard_normal(times.size)), 0.0)
    known, direction = SIGNAL_UNITS.get(signal, (unit, "both"))
    if known == "ratio":
        values = np.minimum(values, 1.0)
    return Series(service, signal, START + times, values, direction, known or unit)


def _lines(
    rng: np.random.Generator, service: str, level: str, message: str, since: float,
    every: float = 15.0,
) -> list[LogLine]:  # fmt: skip
    """A line again and again; # stands for a number."""
    return [
        LogLine(
            service,
            START + float(at),
            message.replace("#", str(int(rng.integers(10, 99999)))),
            level,
        )
        for at in np.arange(since, AFTER, every)
    ]


def _everyday(rng: np.random.Generator) -> list[Change]:
    spread = (BEFORE + AFTER) / len(EVERYDAY)
    return [
        Change(
            id=f"{n:02x}e7e7",
            service="",
            kind="commit",
            at=START - BEFORE + (n + 0.5) * spread + float(rng.uniform(-200.0, 200.0)),
            title=title,
            files=(path,),
        )
        for n, (title, path) in enumerate(EVERYDAY)
    ]


def _changes(told: dict[str, Any]) -> list[Change]:
    commits = [
        Change(
            id=one["id"],
            service="",
            kind="commit",
            at=START + one["at"],
            title=one["title"],
            diff=one.get("diff", ""),
            files=tuple(one.get("files", "").split()),
        )
        for one in told.get("commit", ())
    ]
    deploys = [
        Change(
            id=f"deploy-{one['service']}-{int(one['at'])}",
            service=one["service"],
            kind="deploy",
            at=START + one["at"],
            title=one.get("title") or f"release {int(abs(one['at']))}",
            commit=one.get("commit", ""),
        )
        for one in told.get("deploy", ())
    ]
    others = [
        Change(
            one["id"], one["service"], one["kind"], START + one["at"], one["title"],
            diff=one.get("diff", ""),
        )
        for one in told.get("told", ())
    ]  # fmt: skip
    return [*commits, *deploys, *others]
