from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from slos.burn import Policy, workbook_policies
from slos.definition import Definition, Latency, Ratio, Threshold
from slos.openslo.reading import read
from slos.openslo.tree import Refused
from slos.openslo.writing import write
from slos.periods import Period

AVAILABILITY = Definition(
    name="payments-availability",
    display_name="Payments: availability",
    description="Charges that are answered.",
    service="payments",
    indicator=Ratio('requests_total{service="payments"}', bad='requests_total{code=~"5.."}'),
    target=0.999,
    period=Period.parse("30d"),
    data_source="prometheus",
    labels={"team": "money"},
)
SLOS = [
    AVAILABILITY,
    replace(
        AVAILABILITY,
        name="latency",
        indicator=Latency('duration_seconds{service="payments"}', 0.2),
        target=0.95,
        policies=(Policy("page", 3600, 300, 14.4), Policy("ticket", 86400, 7200, 3)),
    ),
    replace(
        AVAILABILITY,
        name="durability",
        indicator=Threshold('replicas_in_sync{service="payments"}', "gte", 2),
        least_events=20,
        labels={},
        description="",
        display_name="",
        data_source="",
    ),
    replace(
        AVAILABILITY,
        name="month",
        period=Period.parse(
            "1M",
            rolling=False,
            time_zone="Europe/Berlin",
            anchor=datetime(2026, 1, 15, 6),  # noqa: DTZ001
        ),
        policies=(),
    ),
    replace(
        AVAILABILITY,
        name="quarter",
        period=Period.parse("1Q", rolling=False, time_zone="America/New_York"),
    ),
]
# the specification's own example of an inlined indicator, with a query of ours
FOREIGN = """
apiVersion: openslo/v1
kind: SLO
metadata:
  name: foo-slo
  displayName: Foo SLO
spec:
  service: foo
  indicatorRef: foo-error
  timeWindow:
    - duration: 4w
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - targetPercent: 98
  alertPolicies:
    - alertPolicyRef: burning
---
apiVersion: openslo/v1
kind: SLI
metadata:
  name: foo-error
spec:
  ratioMetric:
    counter: true
    good:
      metricSource:
        metricSourceRef: main
        type: Prometheus
        spec:
          query: requests_total{code!~"5.."}
    total:
      metricSource:
        metricSourceRef: main
        spec:
          query: requests_total
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata:
  name: burning
spec:
  alertWhenBreaching: true
  conditions:
    - conditionRef: fast
---
apiVersion: openslo/v1
kind: AlertCondition
metadata:
  name: fast
spec:
  severity: page
  condition:
    kind: burnrate
    threshold: 2
    lookbackWindow: 1h
    alertAfter: 0m
"""


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_what_is_written_reads_back_as_it_was(slo: Definition) -> None:
    slo.check()

    assert read(write([slo])) == [slo]


def test_many_slos_keep_their_order() -> None:
    assert read(write(SLOS)) == SLOS


def test_parts_of_their_own_documents_are_followed() -> None:
    (slo,) = read(FOREIGN)

    assert slo.indicator == Ratio("requests_total", good='requests_total{code!~"5.."}')
    assert (slo.target, slo.data_source) == (0.98, "main")
    assert slo.policies == (Policy("page", 3600, 300, 2),)  # a twelfth, as the workbook has it


def test_slo_without_policies_gets_the_workbook_s_for_its_period() -> None:
    text = FOREIGN.replace("  alertPolicies:\n    - alertPolicyRef: burning\n", "")

    (slo,) = read(text.replace("targetPercent: 98", "targetPercent: 99.9"))

    assert slo.policies == workbook_policies(28 * 86400)


@pytest.mark.parametrize(
    ("old", "new", "path", "line"),
    [
        ("openslo/v1", "openslo/v2alpha", "apiVersion", 2),
        ("kind: SLI", "kind: Dashboard", "kind", 20),
        ("Occurrences", "Timeslices", "spec.budgetingMethod", 13),
        ("targetPercent: 98", "target: x", "spec.objectives[0].target", 15),
        ("targetPercent: 98", "target: 1", "spec.objectives", 14),
        ("targetPercent: 98", "timeSliceTarget: 1", "spec.objectives[0].timeSliceTarget", 15),
        (
            "    - targetPercent: 98",
            "    - targetPercent: 98\n    - targetPercent: 97",
            "spec.objectives",
            14,
        ),
        ("duration: 4w", "duration: 1M", "spec.timeWindow[0].duration", 11),
        ("isRolling: true", "isRolling: false", "spec.timeWindow[0].isRolling", 12),
        ("indicatorRef: foo-error", "indicatorRef: bar", "spec.indicatorRef", 9),
        ("counter: true", "counter: false", "spec.ratioMetric.counter", 25),
        ("counter: true", "raw: true", "spec.ratioMetric.raw", 25),
        (
            "type: Prometheus",
            "type: Datadog",
            "spec.ratioMetric.good.metricSource.type",
            29,
        ),
        ("query: requests_total\n", "query: sum(\n", "spec.indicatorRef", 9),
        ("threshold: 2", "threshold: 60", "spec.alertPolicies", 16),
        ("alertAfter: 0m", "alertAfter: 5m", "spec.condition.alertAfter", 57),
        ("severity: page", "severity: sev1", "spec.severity", 52),
        ("PolicyRef: burning", "PolicyRef: x", "spec.alertPolicies[0].alertPolicyRef", 17),
        ("displayName: Foo SLO", "colour: red", "metadata.colour", 6),
        ("displayName: Foo SLO", "name: foo", "metadata.name", 6),
    ],
)  # fmt: skip
def test_what_we_cannot_do_is_refused_by_name_and_line(
    old: str, new: str, path: str, line: int
) -> None:
    with pytest.raises(Refused) as refused:
        read(FOREIGN.replace(old, new, 1))

    assert (refused.value.path, refused.value.line) == (path, line)


@pytest.mark.parametrize(
    "text",
    ["a: [", "- a", "a: &x 1\nb: *x", "\x00", "a: b: c", '"' + "x" * 1_000_001 + '"'],
    ids=["open", "list", "alias", "nul", "colons", "large"],
)
def test_what_is_no_openslo_file_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read(text)


def test_empty_file_holds_no_slos() -> None:
    assert read("") == []
