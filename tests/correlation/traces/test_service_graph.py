from __future__ import annotations

from typing import Any

import pytest

from correlation.telemetry import Span
from correlation.traces.service_graph import EdgeStatistics, edge_statistics, edges, peer_of

KNOWN = {"orders": "orders", "orders-v2": "orders", "billing": "billing", "main-db": "main-db"}


def make_span(span_id: str, service: str, parent_id: str = "", **columns: Any) -> Span:
    given: dict[str, Any] = {
        "trace_id": "t1",
        "operation": "work",
        "kind": "server",
        "start": 100.0,
        "seconds": 1.0,
        **columns,
    }
    return Span(span_id=span_id, parent_id=parent_id, service=service, **given)


def test_edges_follow_parents_of_another_service() -> None:
    spans = [
        make_span("1", "web"),
        make_span("2", "web", "1", kind="client"),
        make_span("3", "orders", "2"),
        make_span("4", "orders", "3", kind="internal"),
        make_span("5", "billing", "4", kind="consumer"),
    ]

    found = edges(spans)

    assert found == (("orders", "billing"), ("web", "orders"))


def test_edges_name_the_peer_of_a_call_without_traced_child() -> None:
    spans = [
        make_span("1", "orders"),
        make_span("2", "orders", "1", kind="client", peer="main-db"),
        make_span("3", "orders", "1", kind="client"),
        make_span("4", "orders", "1", kind="internal", peer="cache"),
        make_span("5", "orders", "1", kind="producer", peer="broker"),
    ]

    assert edges(spans) == (("orders", "broker"), ("orders", "main-db"))


def test_edges_believe_the_traced_child_before_the_peer() -> None:
    spans = [
        make_span("1", "web", kind="client", peer="gateway"),
        make_span("2", "orders", "1"),
    ]

    assert edges(spans) == (("web", "orders"),)


def test_edges_need_the_parent_of_the_same_trace() -> None:
    spans = [make_span("1", "web"), make_span("2", "orders", "1", trace_id="t2")]

    assert edges(spans) == ()


def test_edge_statistics_count_a_call_once_as_the_caller_saw_it() -> None:
    call = make_span("2", "web", "1", kind="client", seconds=3.0, failed=True)
    spans = [
        make_span("1", "web"),
        call,
        call,
        make_span("3", "orders", "2", seconds=2.0),
        make_span("4", "web", "1", kind="client", seconds=1.0),
        make_span("5", "orders", "4", seconds=0.5),
    ]

    assert edge_statistics(spans) == {("web", "orders"): EdgeStatistics(2, 1, 2.0)}


@pytest.mark.parametrize(
    ("attributes", "peer"),
    [
        ({"peer.service": "orders-v2"}, "orders"),
        ({"db.system": "postgresql", "server.address": "main-db"}, "main-db"),
        ({"db.name": "billing", "server.address": "10.0.0.7"}, "billing"),
        ({"server.address": "orders.shop.svc.cluster.local:8080"}, "orders"),
        ({"server.address": "mail.shop.svc"}, "mail"),
        ({"net.peer.name": "api.example.com:443"}, "api.example.com"),
        ({"url.full": "https://user@api.example.com/v1/x?y=1"}, "api.example.com"),
        ({"server.address": "10.1.2.3"}, ""),
        ({"server.address": "[2001:db8::1]:443"}, ""),
        ({"server.address": "localhost:5432"}, ""),
        ({"db.system": "postgresql"}, ""),
        ({"messaging.destination.name": "billing"}, "billing"),
        ({"rpc.service": "shop.Cart"}, ""),
        ({}, ""),
    ],
)
def test_peer_of_prefers_what_names_a_known_service(attributes: dict[str, str], peer: str) -> None:
    assert peer_of(attributes, lambda name: KNOWN.get(name, "")) == peer
