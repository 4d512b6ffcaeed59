from __future__ import annotations

import json
from typing import Any

import pytest

from lab import tempo_api
from lab.simulation import Recording, run
from lab.traceql import BadRequest, parse

END = 1_800_000_000.0


@pytest.fixture(scope="module")
def crashing() -> Recording:
    return run(4, 60.0, "crash-loop", 40.0, END)


def ask(recording: Recording, path: str, **params: str) -> Any:
    window = {"start": [str(int(END - 90))], "end": [str(int(END))]}
    many = {name: [value] for name, value in params.items()} | window
    status, _, body = tempo_api.respond(recording.simulation.traces, "GET", path, many)
    assert status == 200, body
    return json.loads(body)


def matched(recording: Recording, query: str) -> list[dict[str, Any]]:
    """Every span the query matches in the newest hundred traces."""
    found = ask(recording, "/api/search", q=query, limit="100", spss="100")
    return [span for trace in found["traces"] for span in trace["spanSets"][0]["spans"]]


def told(span: dict[str, Any]) -> dict[str, str]:
    pairs = span.get("attributes", [])
    return {pair["key"]: next(iter(pair["value"].values())) for pair in pairs}


def test_search_joins_conditions_with_and_or_and_parentheses(crashing: Recording) -> None:
    query = (
        "{ (kind = server || kind = consumer) && "
        '((resource.service.name = "cart" && duration > 1ms) || '
        'resource.service.name = "catalogue") }'
    )

    spans = [told(span) for span in matched(crashing, query)]

    assert {span["service.name"] for span in spans} == {"cart", "catalogue"}
    assert {span["kind"] for span in spans} == {"server"}


def test_search_shows_what_is_selected(crashing: Recording) -> None:
    query = (
        '{ status = error && resource.service.name =~ "checkout|frontend" } | '
        "select(name, kind, statusMessage, resource.service.version, span.server.address) "
        "with (most_recent=true)"
    )

    spans = matched(crashing, query)

    calls = [told(span) for span in spans if told(span)["kind"] == "client"]
    assert {span["name"] for span in spans} >= {"POST /checkout", "POST inventory /v1/reservations"}
    assert {call["server.address"] for call in calls} == {"checkout", "inventory"}
    assert all(call["statusMessage"] and call["service.version"] for call in calls)


@pytest.mark.parametrize(
    "query",
    [
        "{ a } >> { b }",
        "{ (status = error }",
        "{ status = error || }",
        "{ status = error ) }",
        "{ duration > soon }",
        '{ status = "error" }',
        '{ name =~ "(" }',
        "{} | rate()",
    ],
)
def test_what_the_lab_does_not_know_is_refused(query: str) -> None:
    with pytest.raises(BadRequest):
        parse(query)


def test_tag_values_come_typed_by_v2_and_plain_by_v1(crashing: Recording) -> None:
    typed = ask(crashing, "/api/v2/search/tag/resource.service.name/values")["tagValues"]
    plain = ask(crashing, "/api/search/tag/service.name/values")["tagValues"]

    assert {"type": "string", "value": "checkout"} in typed
    assert [value["value"] for value in typed] == plain


def test_tag_values_are_those_of_the_spans_a_query_finds(crashing: Recording) -> None:
    found = ask(crashing, "/api/v2/search/tag/name/values", q='{ resource.service.name = "redis" }')

    assert {value["value"] for value in found["tagValues"]} <= {"GET", "SET"}


def test_metrics_are_not_there_as_on_an_old_server(crashing: Recording) -> None:
    answer = tempo_api.respond(
        crashing.simulation.traces, "GET", "/api/metrics/query_range", {"q": ["{} | rate()"]}
    )

    assert (answer[0], answer[2]) == (404, b"404 page not found\n")
