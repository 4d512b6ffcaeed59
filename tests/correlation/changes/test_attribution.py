"""Which change did it, or none: hand-made incidents, and the rules of the posterior."""

from __future__ import annotations

from dataclasses import replace

import pytest

from correlation.changes.attribution import Attribution, Jury
from correlation.changes.symptoms import Sign
from correlation.ranking import rank, weigh
from correlation.telemetry import Change
from tests.correlation.change_cases import ChangeCase, read_cases
from tests.correlation.incidents import incident

ONSET = 1_000_000.0
CASES = read_cases()


def make_sign(text: str, service: str = "api", onset: float = ONSET) -> Sign:
    known = {"null pointer": "null_reference", "pool exhausted": "pool", "crash loop": "crash"}
    shows = {known[text]} if text in known else set()
    return Sign(frozenset({service}), 0.9, text, frozenset(shows), (), (onset, 5.0), True)


def make_change(id: str, before: float, service: str = "api", **more: object) -> Change:
    told = {"kind": "deploy", "title": id} | more
    return Change(id=id, service=service, at=ONSET - before, **told)  # type: ignore[arg-type]


def judged(*changes: Change, text: str = "it fails", suspect: str = "api") -> Attribution:
    signs = [make_sign(text)]
    jury = Jury(changes, signs, ("api", "store", "mail"), {"store": ["api"]}, {"api": ["store"]})
    return jury.attribution(suspect, None)


def blamed(attribution: Attribution) -> str | None:
    return attribution.blamed.change.id if attribution.blamed else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_change_to_blame_is_found_or_none_is(case: ChangeCase) -> None:
    causes = rank(case.telemetry).causes

    assert causes[0].change == case.guilty


def test_cases_ask_for_none_as_often_as_for_a_change() -> None:
    assert [len(CASES), sum(case.guilty is None for case in CASES)] == [66, 33]


def test_attribution_is_the_same_in_any_order() -> None:
    telemetry = CASES[0].telemetry
    turned = replace(
        telemetry, changes=telemetry.changes[::-1], series=telemetry.series[::-1],
        logs=telemetry.logs[::-1],
    )  # fmt: skip

    assert rank(turned).causes == rank(telemetry).causes


def test_rollout_that_says_nothing_is_blamed_right_before_the_trouble_of_its_service() -> None:
    assert blamed(judged(make_change("v2", 20.0))) == "v2"


@pytest.mark.parametrize(
    "change",
    [
        make_change("after", -120.0),
        make_change("hours before", 7200.0),
        make_change("elsewhere", 20.0, service="mail"),
        make_change("docs", 20.0, files=("docs/api.md",), diff="+hello"),
        make_change("back", 20.0, title="Roll back api to v1"),
        make_change("plain", 90.0, files=("api/a.py",), diff="-x = 1\n+y = 1"),
    ],
    ids=lambda change: change.id,
)
def test_change_is_innocent(change: Change) -> None:
    assert blamed(judged(change)) is None


def test_what_is_left_of_all_chances_is_for_none() -> None:
    found = judged(make_change("one", 40.0), make_change("two", 50.0, service="store"))

    assert 0.0 < sum(found.chances.values()) < 1.0


def test_fitting_lines_outweigh_a_newer_deploy() -> None:
    guarded = make_change("old", 400.0, diff="-  if (user == null) return;\n   use(user);")

    found = judged(guarded, make_change("new", 30.0), text="null pointer")

    assert blamed(found) == "old"


def test_same_lines_are_innocent_where_something_else_broke() -> None:
    guarded = make_change("old", 400.0, diff="-  if (user == null) return;\n   use(user);")

    assert blamed(judged(guarded, text="pool exhausted")) is None


def test_deploy_is_blamed_as_the_commit_it_brought_out() -> None:
    commit = make_change(
        "c1", 900.0, "", kind="commit", files=("api/db.yaml",), diff="-pool: 40\n+pool: 4"
    )

    found = judged(commit, make_change("d1", 60.0, commit="c1"), text="pool exhausted")

    assert found.blamed is not None
    assert (found.blamed.change.id, found.blamed.landing.at) == ("c1", ONSET - 60.0)


def test_change_that_was_taken_back_is_not_blamed_later() -> None:
    first = make_change("one", 500.0, title="Smaller pool for api", diff="-pool: 40\n+pool: 4")
    back = make_change("two", 300.0, title='Revert "Smaller pool for api"')

    assert judged(first, text="pool exhausted").chances["one"] > 0.8
    assert judged(first, back, text="pool exhausted").chances["one"] < 0.5


def test_change_of_a_caller_may_be_to_blame_for_its_callee() -> None:
    cut = make_change("cut", 60.0, diff="-pool: 40\n+pool: 4")

    assert blamed(judged(cut, text="pool exhausted", suspect="store")) == "cut"


def test_new_image_breaks_nobody_but_its_own_service() -> None:
    image = make_change("image", 900.0, diff="-image: api:1.2\n+image: api:1.3")

    assert blamed(judged(image, text="crash loop")) == "image"
    assert blamed(judged(image, text="crash loop", suspect="store")) is None


def test_evidence_lists_changes_by_their_chance() -> None:
    evidence = [item for item in weigh(incident("deploy")).evidence if item.type == "change"]

    assert [item.details["change"] for item in evidence] == ["d-2", "d-1"]
    assert evidence[0].confidence > 0.5 > evidence[1].confidence


def test_no_change_is_evidence_of_nothing() -> None:
    telemetry = replace(incident("deploy"), changes=())

    assert rank(telemetry).causes[0].change is None
