"""A dry run on stored telemetry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from correlation import outcome, queue
from correlation.memory import snapshots
from correlation.models import Analysis, CorrelationRule, EvidenceSnapshot
from correlation.ranking import rank
from correlation.rules.documents import BadRule
from correlation.rules.trials import edited, try_out
from incidents.models import Incident
from tests.correlation.incidents import incident as telemetry_of

MINE: dict[str, Any] = {
    "kind": "gremlins", "title": "{service}: gremlins", "any": [{"log": "pool exhausted"}],
}  # fmt: skip


@pytest.fixture
def analysed(make_incident: Callable[..., Incident]) -> Callable[[str, str], Analysis]:
    def make(fault: str, service: str) -> Analysis:
        make_incident(f"{service} fails", slug=service)
        claimed = queue.claim_next()
        assert claimed is not None
        telemetry = telemetry_of(fault)
        ranking = rank(telemetry)
        outcome.start(claimed)
        outcome.finish(claimed, ranking, [])
        snapshots.keep(claimed, telemetry, ranking)
        return claimed

    return make


def test_a_dry_run_tells_what_would_have_been_answered(
    analysed: Callable[[str, str], Analysis],
) -> None:
    pool, crash = analysed("pool", "payment"), analysed("crash", "inventory")

    found = try_out(edited("mine", {"definition": MINE}))

    assert (found.not_replayable, found.left_out) == (0, 0)
    assert [trial.analysis for trial in found.trials] == [crash, pool]
    (changed,) = found.changed
    assert (changed.analysis, changed.first_changed, changed.below) == (pool, True, ())
    assert (changed.before.kind, changed.before.rule) == (
        "connection_pool_exhaustion", "connection-pool-exhaustion",
    )  # fmt: skip
    assert (changed.after.kind, changed.after.title) == ("gremlins", "payment: gremlins")
    assert changed.after.confidence == changed.before.confidence
    assert CorrelationRule.objects.count() == 0


def test_switching_a_shipped_rule_off_can_be_tried(
    analysed: Callable[[str, str], Analysis],
) -> None:
    analysed("crash", "inventory")

    (trial,) = try_out(edited("crash-loop", {"enabled": False})).changed

    assert (trial.before.kind, trial.after.kind) == ("crash_loop", "code_error")


def test_switching_a_users_rule_off_can_be_tried(analysed: Callable[[str, str], Analysis]) -> None:
    analysed("pool", "payment")
    CorrelationRule.objects.create(name="mine", definition=MINE)

    (trial,) = try_out(edited("mine", {"enabled": False})).changed

    assert (trial.before.kind, trial.after.kind) == ("gremlins", "connection_pool_exhaustion")


def test_a_cap_that_leaves_no_cause_is_told(analysed: Callable[[str, str], Analysis]) -> None:
    analysed("pool", "payment")
    cap = {"kind": "any", "cap": 0, "any": [{"signal": "error_ratio"}, {"log": "."}]}

    (trial,) = try_out(edited("hush", {"definition": cap})).changed

    assert (trial.after.inconclusive, trial.before.inconclusive) == (True, False)


def test_incidents_without_telemetry_and_those_out_of_time_are_counted(
    analysed: Callable[[str, str], Analysis],
) -> None:
    analysed("pool", "payment")
    analysed("crash", "inventory")
    EvidenceSnapshot.objects.update(state="expired", telemetry=None)

    lost = try_out(edited("mine", {"definition": MINE}))
    late = try_out(edited("mine", {"definition": MINE}), seconds=0)
    few = try_out(edited("mine", {"definition": MINE}), limit=1)

    assert (lost.trials, lost.not_replayable, lost.left_out) == ((), 2, 0)
    assert (late.trials, late.not_replayable, late.left_out) == ((), 0, 2)
    assert few.not_replayable == 1


def test_what_is_no_rule_is_refused(db: None) -> None:
    with pytest.raises(BadRule):
        edited("mine", {"definition": {"kind": "x"}})
