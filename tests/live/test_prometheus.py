"""A running Prometheus (Mimir, Thanos, VictoriaMetrics) as found: PROMETHEUS_URL."""

from __future__ import annotations

import time

import pytest

from correlation.backends.prometheus import PrometheusClient
from correlation.gather import gather
from correlation.sources import Scope, Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from tests.live.servers import address, headers, needs

pytestmark = needs("PROMETHEUS_URL")
LONG = " or ".join(["vector(1)"] * 300)


@pytest.fixture
def client() -> PrometheusClient:
    return PrometheusClient(
        address("PROMETHEUS_URL"), headers=headers("PROMETHEUS"), timeout_seconds=20
    )


def test_version_is_told(client: PrometheusClient, deadline: Deadline) -> None:
    assert client.version(deadline)


def test_instant_query_gives_one_sample(client: PrometheusClient, deadline: Deadline) -> None:
    now = float(int(time.time()))

    answer = client.query("vector(42)", now, deadline)

    assert [(v.times.tolist(), v.values.tolist()) for v in answer.series] == [([now], [42.0])]


def test_scalar_and_text_are_read(client: PrometheusClient, deadline: Deadline) -> None:
    answer = client.query("1 + 1", time.time(), deadline)

    assert [v.values.tolist() for v in answer.series] == [[2.0]]


def test_range_query_has_a_point_every_step(client: PrometheusClient, deadline: Deadline) -> None:
    end = float(int(time.time()) // 60 * 60)

    (found,) = client.query_range("vector(1)", end - 60, end, 15, deadline).series

    assert found.times.tolist() == [end - 60, end - 45, end - 30, end - 15, end]
    assert set(found.values.tolist()) == {1.0}


@pytest.mark.parametrize("query", ["vector(0) / 0", "vector(1) / 0", "vector(-1) / 0"])
def test_nan_and_infinity_are_left_out_and_counted(
    query: str, client: PrometheusClient, deadline: Deadline
) -> None:
    answer = client.query(query, time.time(), deadline)

    # some servers leave NaN out themselves; none may reach us as a number
    assert (answer.series, answer.dropped) in (((), 1), ((), 0))


def test_no_match_is_no_series(client: PrometheusClient, deadline: Deadline) -> None:
    answer = client.query('no_such_metric_anywhere{a="b"}', time.time(), deadline)

    assert (answer.series, answer.dropped) == ((), 0)


def test_long_query_goes_as_a_form(client: PrometheusClient, deadline: Deadline) -> None:
    answer = client.query(LONG, time.time(), deadline)

    assert len(answer.series) == 1


def test_parse_error_is_told_in_the_servers_words(
    client: PrometheusClient, deadline: Deadline
) -> None:
    with pytest.raises(BackendError) as caught:
        client.query("sum by (", time.time(), deadline)

    assert caught.value.status in (400, 422)
    assert ": " in caught.value.detail


def test_too_many_points_are_refused(client: PrometheusClient, deadline: Deadline) -> None:
    now = time.time()

    with pytest.raises(BackendError) as caught:
        client.query_range("vector(1)", now - 1_000_000, now, 1, deadline)

    assert caught.value.status in (400, 422)


def test_labels_and_series_agree(client: PrometheusClient, deadline: Deadline) -> None:
    now = time.time()
    names = client.label_values("__name__", deadline, start=now - 3600, end=now)
    if not names:
        pytest.skip("live: this Prometheus holds no series of the last hour")

    found = client.series([names[0]], deadline, start=now - 3600, end=now)

    assert found
    assert {labels["__name__"] for labels in found} == {names[0]}


def test_values_of_an_unknown_label_are_none(client: PrometheusClient, deadline: Deadline) -> None:
    assert client.label_values("no_such_label_anywhere", deadline) == ()


def test_metadata_are_lists_by_metric(client: PrometheusClient, deadline: Deadline) -> None:
    metadata = client.metadata(deadline)

    assert {field for rows in metadata.values() for row in rows for field in row} <= {
        "type",
        "help",
        "unit",
    }


def test_gathering_reads_every_answer(deadline: Deadline) -> None:
    now = time.time()
    source = Source(
        "prometheus",
        "prometheus",
        address("PROMETHEUS_URL"),
        headers=headers("PROMETHEUS"),
        timeout_seconds=20,
    )

    _, statuses = gather(Scope(None, now - 60, now), [source], 30)

    assert statuses[0].status in ("ok", "no_data"), statuses[0].detail
