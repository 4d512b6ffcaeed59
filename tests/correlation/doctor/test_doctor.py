"""What the doctor says of recorded looks: pods and rights, counts, advice. No server is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from correlation.data_sources.probe import Probe
from correlation.doctor.inventory import Inventory, Pod
from correlation.doctor.looking import Look, recent
from correlation.doctor.tables import ago, table
from correlation.doctor.views import view
from correlation.sources import FoundAs, Scope, Source, SourceStatus
from correlation.telemetry import LogLine, Series, Span, Telemetry, WorkloadState

NOW = 1_795_305_900.0
SCOPE = recent(
    NOW,
    "production",
    ["payments", "ledger"],
    {"payments": FoundAs(names={"loki": ("pay_v2",)}), "ledger": FoundAs(namespace="bank")},
    {"ledger": "database"},
)


def look(kind: str, state: Any = "ok", inventory: Inventory | None = None, **shown: Any) -> Look:
    window = (NOW - 900.0, NOW)
    telemetry = Telemetry(None, NOW, NOW, (NOW - 960.0, NOW - 900.0), window, **shown)
    return Look(
        source=Source(kind, kind, "http://source"),
        probe=Probe(True),
        status=SourceStatus(kind, kind, state),
        telemetry=telemetry,
        window=window,
        inventory=inventory or Inventory(),
    )


def series(service: str, signal: str, value: float, peer: str | None = None) -> Series:
    times, values = np.array([NOW - 30.0, NOW - 10.0]), np.array([0.0, value])
    return Series(service, signal, times, values, unit="ratio", peer=peer, source="prometheus")


def test_unavailable_source_says_nothing_of_a_service() -> None:
    found = view(look("prometheus", "unavailable"), "payments", SCOPE)

    assert (found.state, found.facts, found.advice) == ("unavailable", {}, ())


def test_metrics_give_newest_value_with_its_age_and_edges_together() -> None:
    shown = (
        series("payments", "error_ratio", 0.25),
        series("payments", "client_error_ratio", 0.5, "ledger"),
        series("payments", "client_error_ratio", 0.1, "bank"),
    )

    found = view(look("prometheus", series=shown), "payments", SCOPE)

    assert [
        (one["signal"], one["value"], one["age_seconds"], one["peers"])
        for one in found.facts["signals"]
    ] == [("error_ratio", 0.25, 10.0, []), ("client_error_ratio", 0.5, 10.0, ["bank", "ledger"])]
    assert found.advice == (
        "no request_rate, latency: no profile in use reads it for this service; name its "
        "profile or give queries in selectors.prometheus",
    )


def test_infinite_value_is_none_in_json() -> None:
    shown = (series("payments", "error_ratio", float("inf")),)

    found = view(look("prometheus", series=shown), "payments", SCOPE)

    assert found.as_json()["signals"][0]["value"] is None


@pytest.mark.parametrize(
    ("service", "known", "advice"),
    [
        (
            "payments",
            "payments_api",
            "no metric's service label matches `payments`; is it `payments_api`? "
            "Set selectors.prometheus.names",
        ),
        (
            "payments",
            "frontend",
            "no metric's service label matches `payments`; others there: frontend. "
            "Set selectors.prometheus.names",
        ),
        (
            "payments",
            "ledger",
            "no metric's service label matches `payments`, and every name it knows is another "
            "service's: is it scraped?",
        ),
    ],
)
def test_service_without_metrics_is_told_what_is_there(
    service: str, known: str, advice: str
) -> None:
    found = view(look("prometheus", series=(series(known, "cpu", 1.0),)), service, SCOPE)

    assert (found.state, found.advice) == ("nothing", (advice,))


def test_log_lines_are_the_servers_count_where_it_gave_one() -> None:
    lines = (
        LogLine("payments", NOW - 5.0, "failed", "error"),
        LogLine("payments", NOW - 1000.0, "before the window", "error"),
    )
    counted = Inventory(lines={("pay_v2", "error"): 40, ("pay_v2", ""): 2, ("other", "info"): 7})

    exact = view(look("loki", inventory=counted, logs=lines), "payments", SCOPE)
    sampled = view(look("loki", logs=lines), "payments", SCOPE)

    assert exact.facts["lines"] == 42
    assert (exact.facts["levels"], exact.facts["counted"]) == ({"none": 2, "error": 40}, True)
    assert exact.facts["newest_age_seconds"] == 5.0
    assert (sampled.facts["lines"], sampled.facts["counted"]) == (1, False)


def test_logs_without_levels_say_so() -> None:
    counted = Inventory(lines={("pay_v2", ""): 2})

    found = view(look("loki", inventory=counted), "payments", SCOPE)

    assert found.advice == (
        "no line has a level: errors are found by their words; set level_label",
    )


def test_failed_share_is_of_the_ordinary_sample_only() -> None:
    def span(name: str, failed: bool, sampled: Any) -> Span:
        return Span(
            "1" * 32, name, "", "payments", "pay", "server", NOW - 3.0, 0.1, failed,
            sampled_as=sampled,
        )  # fmt: skip

    spans = (span("a", True, "failed"), span("b", False, "usual"), span("c", True, "usual"))

    found = view(look("tempo", spans=spans, edges=(("payments", "ledger"),)), "payments", SCOPE)

    assert (found.facts["spans"], found.facts["failed_spans"]) == (3, 2)
    assert (found.facts["failed_share"], found.facts["calls"]) == (0.5, ["ledger"])


def test_pods_are_counted_and_trouble_is_named() -> None:
    pods = (Pod("ledger", "bank", "l-0", True, 1), Pod("ledger", "bank", "l-1", False, 4))
    states = (
        WorkloadState("ledger", "ledger", "Running", NOW),
        WorkloadState("ledger", "ledger", "OOMKilled", NOW, 2),
    )

    found = view(
        look("kubernetes", inventory=Inventory(pods=pods), workloads=states), "ledger", SCOPE
    )

    facts = found.facts
    assert (facts["pods_ready"], facts["pods_total"], facts["restarts"]) == (1, 2, 5)
    assert facts["trouble"] == [{"workload": "ledger", "reason": "OOMKilled", "count": 2}]


def test_pods_elsewhere_are_told_with_the_namespace_asked() -> None:
    stranger = Inventory(pods=(Pod("book", "bank", "book-0", True, 0),))

    found = view(look("kubernetes", inventory=stranger), "ledger", SCOPE)

    assert found.advice == (
        "no pod label or workload name matches `ledger` in namespace bank; others there: book. "
        "Set selectors.kubernetes.names or label_selector",
    )


def test_scope_covers_a_quarter_of_an_hour_and_no_target() -> None:
    scope = recent(NOW, "staging")

    assert isinstance(scope, Scope)
    assert (scope.target, scope.environment, scope.lead_seconds) == (None, "staging", 900.0)


def test_columns_are_aligned_and_the_last_is_not_padded() -> None:
    assert table(("A", "B", "C"), [("long cell", "x", "end"), ("y", "longer", "")]) == [
        "A          B       C",
        "long cell  x       end",
        "y          longer",
    ]
    assert [ago(None), ago(3.4), ago(600.0)] == ["-", "3 s ago", "10 min ago"]
