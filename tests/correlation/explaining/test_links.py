from __future__ import annotations

from typing import Any

import pytest

from correlation.explaining.links import Tools, kubectl, trace_ids
from correlation.models import DataSource
from correlation.sources import FoundAs, Scope
from correlation.telemetry import Evidence
from incidents.models import ChangeEvent, Service
from tests.correlation.explaining.test_explore import pane

NOON = 1_772_366_400.0
SCOPE = Scope(
    target="checkout",
    started_at=NOON,
    as_of=NOON + 600.0,
    found_as={"checkout": FoundAs(namespace="shop")},
)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def evidence(type: Any = "metric", source: str = "prometheus", **fields: Any) -> Evidence:
    given: dict[str, Any] = {
        "key": "one",
        "service": "checkout",
        "signal": "error_ratio",
        "confidence": 0.9,
        "onset_at": NOON,
        "baseline": 0.0,
        "value": 0.4,
        "title": "checkout: error rate rose",
        "query": "up",
    }
    return Evidence(type=type, source=source, **(given | fields))


def tools(*rows: DataSource, **given: Any) -> Tools:
    return Tools(SCOPE, {row.slug: row for row in rows}, **given)


def row(kind: str = "prometheus", **columns: Any) -> DataSource:
    given = {"slug": kind, "url": f"http://{kind}.example.com:9090"}
    return DataSource(kind=kind, **(given | columns))


def titles(found: list[dict[str, str]]) -> list[str]:
    return [link["title"] for link in found]


def test_metric_opens_in_prometheus_when_no_grafana_is_known() -> None:
    (link,) = tools(row(url="http://me:secret@prometheus.example.com/p/")).links_for(evidence())

    assert link["title"] == "Open in Prometheus"
    assert link["url"].startswith("http://prometheus.example.com/p/graph?g0.expr=up&g0.tab=0")


def test_metric_opens_in_grafana_when_it_is_known() -> None:
    source = row(grafana_url="https://me:secret@grafana.example.com/", grafana_uid="prom-1")

    (link,) = tools(source, grafana_url="https://other.example.com").links_for(evidence())

    assert link["title"] == "Open in Grafana"
    assert link["url"].startswith("https://grafana.example.com/explore?")
    assert pane(link["url"])["datasource"] == "prom-1"


def test_link_says_so_when_grafana_must_be_told_the_data_source() -> None:
    (link,) = tools(row("loki"), grafana_url="https://grafana.example.com").links_for(
        evidence("log", "loki", query='{app="checkout"}')
    )

    assert link["title"] == "Open in Grafana (choose the Loki data source there)"
    assert "datasource" not in pane(link["url"])


@pytest.mark.parametrize(
    ("source", "given"),
    [
        (row(tenant="team-a"), {}),
        (row("loki"), {}),
        (row("tempo"), {}),
        (row(url="http://lab:9100/prometheus"), {"lab_url": "http://lab:9100"}),
        (
            row(url="http://lab:9100/prometheus", grafana_url="https://grafana.example.com"),
            {"lab_url": "http://lab:9100", "grafana_url": "https://grafana.example.com"},
        ),
        (row(url="ftp://me:secret@metrics.example.com"), {}),
        (row("loki", grafana_url="javascript:alert(1)//"), {}),
    ],
    ids=["tenant", "loki", "tempo", "lab", "lab-grafana", "ftp", "script"],
)
def test_sources_without_a_page_get_no_link_to_one(
    source: DataSource, given: dict[str, str]
) -> None:
    found = tools(source, **given).links_for(evidence(source=source.slug))

    assert found == []


def test_lab_prefix_is_no_mere_beginning_of_a_name() -> None:
    source = row(url="http://lab:91000")

    assert titles(tools(source, lab_url="http://lab:9100").links_for(evidence())) == [
        "Open in Prometheus"
    ]


def test_evidence_of_a_source_that_was_removed_has_no_link() -> None:
    assert tools().links_for(evidence()) == []


def test_traces_open_by_their_ids_in_grafana() -> None:
    source = row("tempo", grafana_url="https://grafana.example.com", grafana_uid="tempo-1")
    found = tools(source).links_for(
        evidence("trace", "tempo", query="{ status = error }", details={"trace_ids": [TRACE]})
    )

    assert titles(found) == ["Open in Grafana", "Trace 4bf92f35"]
    assert found[1]["trace_id"] == TRACE
    assert pane(found[1]["url"])["queries"][0]["query"] == TRACE


def test_log_line_with_a_trace_id_opens_it_in_tempo() -> None:
    tempo = row("tempo", grafana_url="https://grafana.example.com", grafana_uid="tempo-1")
    found = tools(row("loki"), tempo).links_for(
        evidence("log", "loki", details={"trace_ids": [TRACE]})
    )

    assert titles(found) == ["Trace 4bf92f35"]


def test_trace_ids_are_hexadecimal_and_each_there_once() -> None:
    given = {"trace_ids": [TRACE, TRACE, '"} || {', "", 7, "ABC"]}

    assert trace_ids(given) == [TRACE, "ABC"]
    assert trace_ids({"trace_ids": "abc"}) == []
    assert trace_ids({}) == []


@pytest.mark.parametrize(
    ("type", "kind", "expected"),
    [
        ("metric", "prometheus", {"start": NOON - 2700, "end": NOON + 600, "step": 15.0}),
        ("log", "loki", {"start": NOON - 1200, "end": NOON + 600}),
        ("trace", "tempo", {"start": NOON - 1200, "end": NOON + 600}),
        ("kubernetes", "kubernetes", {"start": NOON - 300, "end": NOON + 600}),
    ],
)
def test_range_is_what_its_source_was_asked_for(
    type: str, kind: str, expected: dict[str, float]
) -> None:
    known = tools(row(kind, options={"step_seconds": 15}))

    assert known.range_of(evidence(type, kind)).as_json() == expected


def test_range_of_a_recorded_change_begins_hours_before_the_incident() -> None:
    found = tools().range_of(evidence("change", "", query=""))

    assert found.as_json() == {"start": NOON - 21_600, "end": NOON + 600}


def test_wrong_options_of_a_source_cost_no_evidence() -> None:
    known = tools(row(options={"step_seconds": "often"}))

    assert known.range_of(evidence()).step == 15.0


def test_query_of_what_a_cluster_said_is_the_command_that_shows_it() -> None:
    source = row("kubernetes", url="", context="prod")
    state = evidence("kubernetes", "kubernetes", query="", details={"pod": "checkout-7d-x2"})

    assert tools(source).query_of(state) == (
        "kubectl --context prod -n shop describe pod checkout-7d-x2"
    )


@pytest.mark.parametrize(
    ("details", "command"),
    [
        ({"pod": "a-1", "namespace": "other"}, "kubectl -n other describe pod a-1"),
        ({"workload": "api"}, "kubectl -n shop describe deployment api"),
        ({"workload": "StatefulSet/db"}, "kubectl -n shop describe statefulset db"),
        ({"node": "n1", "workload": "n1"}, "kubectl describe node n1"),
        ({"node": "n1", "namespace": "a", "workload": "b"}, "kubectl -n a describe deployment b"),
        ({"deployment": "b", "namespace": "a", "node": "n"}, "kubectl -n a describe deployment b"),
        ({"autoscaler": "a", "workload": "api"}, "kubectl -n shop describe hpa a"),
        ({"pod": "a; rm -rf /"}, "kubectl -n shop describe pod 'a; rm -rf /'"),
        ({"message": "no name"}, ""),
    ],
    ids=["pod", "workload", "kind", "node", "node-of", "object", "autoscaler", "quoted", "unnamed"],
)
def test_kubectl_names_what_the_details_name(details: dict[str, Any], command: str) -> None:
    assert kubectl(details, "shop") == command


def test_tools_know_the_environments_sources_and_the_changes_pages(db: None) -> None:
    service = Service.objects.create(slug="checkout", name="Checkout")
    change = ChangeEvent.objects.create(
        service=service,
        kind="deploy",
        at="2026-03-01T12:00:00Z",
        title="v42",
        url="https://ci.example.com/42",
    )
    for slug, environment in (("ours", "production"), ("theirs", "staging")):
        row(slug=slug, environment=environment).save()
    found = [
        evidence("change", "", query="", details={"change": str(change.pk)}),
        evidence("change", "", query="", details={"change": "deployment/api/7"}),
    ]

    known = Tools.of(SCOPE, found)

    assert list(known.sources) == ["ours"]
    assert known.links_for(found[0]) == [
        {"title": "Open the change", "url": "https://ci.example.com/42"}
    ]
    assert known.links_for(found[1]) == []
