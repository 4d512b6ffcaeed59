"""How gathering sends what an answer leads to, and shares answers; sources are functions here."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from correlation.gather import gather
from correlation.sources import Query, Reply, Scope, Source, SourceStatus
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError

SCOPE = Scope(target=None, started_at=1000.0, as_of=1060.0)
SOURCE = Source("main", "tempo", "http://tempo.test")


def found(*edges: tuple[str, str], **fields: object) -> Reply:
    return Reply(edges=edges, **fields)  # type: ignore[arg-type]


def gathered(
    queries: Mapping[str, Query], source: Source = SOURCE, seconds: float = 5.0
) -> tuple[tuple[tuple[str, str], ...], SourceStatus]:
    telemetry, statuses = gather(
        SCOPE, [source], seconds, plans={"tempo": lambda source, scope: queries}
    )
    return telemetry.edges, statuses[0]


def test_follow_up_queries_are_sent_and_counted() -> None:
    traces = {f"trace {n}": Query(lambda d, n=n: found((f"a{n}", f"b{n}"))) for n in range(3)}
    search = Query(lambda deadline: Reply(requests=2, then=traces))

    edges, status = gathered({"search": search})

    assert edges == (("a0", "b0"), ("a1", "b1"), ("a2", "b2"))
    assert (status.status, status.queries) == ("ok", 5)


def test_follow_up_that_two_answers_lead_to_is_sent_once() -> None:
    asked: list[str] = []

    def trace(deadline: Deadline) -> Reply:
        asked.append("trace")
        return found(("a", "b"))

    then = {"trace 1": Query(trace)}

    _, status = gathered({n: Query(lambda d: Reply(then=then)) for n in ("failed", "slow")})

    assert (asked, status.queries) == (["trace"], 3)


def test_failed_follow_up_leaves_the_rest_and_is_named() -> None:
    def fails(deadline: Deadline) -> Reply:
        raise BackendError("http", "answered 500 (internal error)", status=500)

    search = Query(lambda deadline: found(("a", "b"), then={"trace 1": Query(fails)}))

    edges, status = gathered({"search": search})

    assert edges == (("a", "b"),)
    assert (status.status, status.detail) == (
        "partial",
        "1 of 2 queries failed (trace 1): answered 500 (internal error)",
    )


def test_chain_ends_at_the_deadline() -> None:
    released = threading.Event()

    def hangs(deadline: Deadline) -> Reply:
        released.wait(10)
        return Reply()

    search = Query(lambda deadline: found(("a", "b"), then={"trace 1": Query(hangs)}))

    edges, status = gathered({"search": search}, seconds=0.3)
    released.set()

    assert edges == (("a", "b"),)
    assert status.detail == "1 of 2 queries failed (trace 1): did not answer within 0.3 s"


def test_equal_keys_are_asked_once_and_cost_the_second_analysis_nothing() -> None:
    asked: list[str] = []

    def ask(deadline: Deadline) -> Reply:
        asked.append("one")
        return found(("a", "b"), notes=("as it was",))

    queries = {"search": Query(ask, ("{ status = error }", 1000, 1060))}

    first, second = gathered(queries), gathered(queries)

    assert asked == ["one"]
    assert (first[1].queries, second[1].queries) == (1, 0)
    assert (first[0], first[1].detail) == (second[0], second[1].detail)


def test_equal_keys_of_two_sources_are_two_questions() -> None:
    asked: list[str] = []

    def ask(deadline: Deadline) -> Reply:
        asked.append("one")
        return Reply()

    for slug in ("eu", "us"):
        gathered({"search": Query(ask, "key")}, Source(slug, "tempo", "http://tempo.test"))

    assert len(asked) == 2


def test_source_with_an_open_breaker_is_not_asked_and_says_why() -> None:
    def never(deadline: Deadline) -> Reply:
        raise AssertionError("asked")

    why = "circuit breaker open since 03:12:07 after 3 failures in a row (connection refused)"

    _, status = gathered(
        {"search": Query(never)},
        Source("main", "tempo", "http://tempo.test", closed_because=why),
    )

    assert (status.status, status.detail, status.queries) == ("unavailable", why, 0)


@pytest.mark.parametrize("error", [ValueError("bad"), KeyError("x")], ids=["value", "key"])
def test_answer_that_breaks_the_parser_is_named_not_raised(error: Exception) -> None:
    def breaks(deadline: Deadline) -> Reply:
        raise error

    _, status = gathered({"search": Query(breaks)})

    assert status.detail == f"the answer could not be read ({type(error).__name__})"
