"""What the ranking says of labelled incidents, as samples to fit its confidence on."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from correlation.evaluation.case_files import label_of, read_case
from correlation.evaluation.cases import Conditions, telemetry_of
from correlation.evaluation.fitting import Sample
from correlation.evaluation.healthy_windows import before_start, of_baseline
from correlation.evaluation.recordings import BadCase
from correlation.ranking import weigh
from correlation.telemetry import Telemetry

ALL = "all"
CONDITIONS = {
    ALL: Conditions(),
    "60 s": Conditions(horizon_seconds=60.0),
    "120 s": Conditions(horizon_seconds=120.0),
    "60 s late": Conditions(late_seconds=60.0),
}
"""How each case is shown: the product asks early and again, and alerts come late."""

SIMULATED = "simulated"

Answer = dict[str, Any]
"""One ranking as JSON: case, system, service (None: healthy), named, features, condition."""


def weighed_answer(case: str, service: str | None, telemetry: Telemetry) -> Answer:
    """The ranking's features for `telemetry` and whom it names first (None: nobody)."""
    weighed = weigh(telemetry)
    first = weighed.hypotheses[0].suspect.service if weighed.hypotheses else None
    return {
        "case": case,
        "system": SIMULATED,
        "service": service,
        "named": first,
        "features": weighed.features,
        "condition": ALL,
    }


def answers_of(directories: Sequence[Path], jobs: int = 1) -> list[Answer]:
    """Rankings of the cases under every condition and of their healthy windows, in stated order.

    Raises BadCase. A healthy recording that several cases share is cut up once, by the first.
    """
    seen: set[Path] = set()
    work = []
    for directory in directories:
        told = _baseline(directory)
        work.append((directory, told is not None and told not in seen))
        seen |= {told} if told is not None else set()
    found: list[Answer] = []
    for answers in _mapped(_answers, work, jobs):
        found += answers
    return found


def samples_of(answers: Iterable[Answer]) -> list[Sample]:
    """Answers that name somebody, weighted: see `_weights`."""
    spoken = [one for one in answers if one["named"] is not None]
    return [
        Sample(
            case=one["case"],
            system=one["system"],
            service=f"{one['system']}/{one['service']}" if one["service"] else "",
            features=one["features"],
            right=one["named"] == one["service"],
            healthy=one["service"] is None,
            condition=one["condition"],
            weight=weight,
        )
        for one, weight in zip(spoken, _weights(spoken), strict=True)
    ]


SIMULATED_SHARE = 0.25
HEALTHY_SHARE = 0.05
"""Of the weight of all samples: how much simulated ones count, and healthy ones."""


def _weights(answers: Sequence[Answer]) -> list[float]:
    """Cases count the same however often each was shown; simulated and healthy ones by share."""
    shown = Counter((one["system"], one["case"]) for one in answers)
    kinds = [_kind(one) for one in answers]
    each = [1.0 / shown[one["system"], one["case"]] for one in answers]
    totals: Counter[tuple[bool, bool]] = Counter()
    for kind, weight in zip(kinds, each, strict=True):
        totals[kind] += weight  # type: ignore[assignment]
    cases = totals[False, False] or totals[True, False] or 1
    wanted = {(False, False): 1.0, (True, False): SIMULATED_SHARE}
    wanted |= {(simulated, True): HEALTHY_SHARE / 2 for simulated in (False, True)}
    return [
        weight * wanted[kind] * cases / totals[kind] if kind != (False, False) else weight
        for kind, weight in zip(kinds, each, strict=True)
    ]


def _kind(answer: Answer) -> tuple[bool, bool]:
    return answer["system"] == SIMULATED, answer["service"] is None


def _answers(work: tuple[Path, bool]) -> list[Answer]:
    directory, with_baseline = work
    case = read_case(directory)
    shown = [(name, telemetry_of(case, asked)) for name, asked in CONDITIONS.items()]
    found = [{**weighed_answer(case.name, None, seen), "condition": name} for name, seen in shown]
    healthy = [
        weighed_answer(f"{case.name} before {n}", None, telemetry)
        for n, telemetry in enumerate(before_start(case))
    ]
    if with_baseline:
        healthy += [
            weighed_answer(f"{Path(case.healthy_name).name} healthy {n}", None, telemetry)
            for n, telemetry in enumerate(of_baseline(case))
        ]
    label = label_of(directory)  # read only now: the ranking is done
    for answer in found:
        answer["service"] = label.service
    return [{**answer, "system": label.system} for answer in (*found, *healthy)]


def _baseline(directory: Path) -> Path | None:
    try:
        told = json.loads((directory / "incident.json").read_text(encoding="utf-8"))
        where = told.get("baseline")
    except (OSError, ValueError, AttributeError) as error:
        raise BadCase(f"{directory / 'incident.json'}: {error}") from error
    return (directory / str(where)).resolve() if where else None


def _mapped(
    work: Callable[[tuple[Path, bool]], list[Answer]], given: Sequence[tuple[Path, bool]], jobs: int
) -> Iterable[list[Answer]]:
    if jobs <= 1:
        yield from map(work, given)
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(work, given, chunksize=1)
