"""A running Loki, seeded through its push API with present times: LOKI_URL."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

import pytest

from correlation.backends.loki import LokiClient
from correlation.gather import gather
from correlation.sources import Scope, Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from tests.live.servers import address, eventually, headers, needs, post

pytestmark = needs("LOKI_URL")

ERRORS, INFOS = 30, 20
TRACE = uuid.uuid4().hex


@dataclass(frozen=True)
class Seeded:
    """What was pushed: a run's own namespace, the services in it, and when (epoch seconds)."""

    namespace: str
    shop: str
    store: str
    mail: str
    start: float
    end: float

    @property
    def selector(self) -> str:
        return f'{{namespace="{self.namespace}"}}'


def ns(at: float) -> str:
    return str(int(at * 1e6) * 1000)


@pytest.fixture
def client() -> LokiClient:
    return make_client()


def make_client() -> LokiClient:
    return LokiClient(address("LOKI_URL"), headers=headers("LOKI"), timeout_seconds=20)


@pytest.fixture(scope="module")
def seeded() -> Seeded:
    run = uuid.uuid4().hex[:8]
    end = float(int(time.time()) - 5)
    made = Seeded(f"live-{run}", f"shop-{run}", f"store-{run}", f"mail-{run}", end - 60, end)
    shop = {"app": made.shop, "namespace": made.namespace, "level": "error"}
    streams = [
        {
            "stream": shop,
            "values": [
                [ns(made.start + n), f'level=error msg="pool exhausted" order={n}']
                for n in range(ERRORS)
            ],
        },
        {
            "stream": {"app": made.store, "namespace": made.namespace},
            "values": [
                [ns(made.start + n + 0.5), f"LOG:  checkpoint {n} complete"] for n in range(INFOS)
            ],
        },
        {
            "stream": {"service_name": made.mail, "namespace": made.namespace},
            "values": [[ns(made.start + 7), "mail not sent", {"trace_id": TRACE}]],
        },
    ]
    assert post(f"{address('LOKI_URL')}/loki/api/v1/push", {"streams": streams},
                headers("LOKI")) == 204  # fmt: skip
    eventually(
        lambda: make_client().lines(made.selector, made.start, end, Deadline(20), limit=100).lines,
        lambda lines: len(lines) == ERRORS + INFOS + 1,
        "the pushed lines",
    )
    return made


def test_version_is_text(client: LokiClient, deadline: Deadline) -> None:
    assert isinstance(client.version(deadline), str)


def test_lines_come_in_time_order_with_their_level(
    client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    answer = client.lines(seeded.selector, seeded.start, seeded.end, deadline, limit=100)

    at = [line.at for line in answer.lines]
    assert at == sorted(at)
    assert not answer.truncated
    levels = {line.level for line in answer.lines if line.service == seeded.shop}
    assert levels == {"error"}


def test_structured_metadata_give_the_trace(
    client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    query = f'{{service_name="{seeded.mail}"}}'

    (line,) = client.lines(query, seeded.start, seeded.end, deadline).lines

    assert (line.service, line.trace_id) == (seeded.mail, TRACE)


def test_start_is_inclusive_and_end_exclusive(
    client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    query = f'{{app="{seeded.shop}"}}'

    lines = client.lines(query, seeded.start, seeded.start + 2, deadline).lines

    assert [line.at for line in lines] == [seeded.start, seeded.start + 1]


@pytest.mark.parametrize(("direction", "first"), [("backward", ERRORS - 5), ("forward", 0)])
def test_limit_cuts_and_says_so(
    direction: str, first: int, client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    answer = client.lines(
        f'{{app="{seeded.shop}"}}',
        seeded.start,
        seeded.end,
        deadline,
        limit=5,
        direction="backward" if direction == "backward" else "forward",
    )

    assert (answer.truncated, len(answer.lines)) == (True, 5)
    assert answer.lines[0].at == seeded.start + first


def test_matrix_counts_every_line(client: LokiClient, seeded: Seeded, deadline: Deadline) -> None:
    first = seeded.start // 10 * 10
    query = f"sum by (app) (count_over_time({seeded.selector}[10s]))"

    answer = client.query_range(query, first, first + 80, 10, deadline)

    assert {v.labels.get("app", ""): int(v.values.sum()) for v in answer.series} == {
        seeded.shop: ERRORS,
        seeded.store: INFOS,
        "": 1,
    }


def test_instant_metric_counts_a_text(
    client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    query = f'sum(count_over_time({{app="{seeded.shop}"}} |= "exhausted" [2m]))'

    (found,) = client.query(query, seeded.end, deadline).series

    assert found.values.tolist() == [ERRORS]


def test_levels_are_filtered_by_any_label(
    client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    query = f'{seeded.selector} | detected_level=~"(?i:error)" or level=~"(?i:error)"'

    lines = client.lines(query, seeded.start, seeded.end, deadline).lines

    assert {line.service for line in lines} == {seeded.shop}
    assert len(lines) == ERRORS


def test_labels_values_and_streams(client: LokiClient, seeded: Seeded, deadline: Deadline) -> None:
    start, end = seeded.start, seeded.end + 1

    assert {"app", "namespace"} <= set(client.labels(deadline, start=start, end=end))
    assert seeded.shop in client.label_values("app", deadline, start=start, end=end)
    found = client.series([seeded.selector], deadline, start=start, end=end)
    assert {labels.get("app", "") for labels in found} == {seeded.shop, seeded.store, ""}
    assert client.label_values("no_such_label", deadline, start=start, end=end) == ()


def test_no_match_is_no_lines_and_no_series(
    client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    nobody = '{app="nobody-at-all"}'

    assert client.lines(nobody, seeded.start, seeded.end, deadline).lines == ()
    counted = client.query(f"sum(count_over_time({nobody}[1m]))", seeded.end, deadline)
    assert counted.series == ()


def test_scalar_is_stamped_in_seconds(
    client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    (found,) = client.query("1+1", seeded.end, deadline).series

    assert (found.times.tolist(), found.values.tolist()) == ([seeded.end], [2.0])


def test_volume_and_patterns_are_there_or_off(
    client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    volume = client.volume(seeded.selector, seeded.start, seeded.end, deadline, by=("app",))
    patterns = client.patterns(seeded.selector, seeded.start, seeded.end, 10, deadline)

    assert volume is None or all(v.values[-1] >= 0 for v in volume)
    assert all(pattern.text for pattern in patterns)


@pytest.mark.parametrize(
    "query", ["{", "{}", '{app=~".*"}', '{app="x"} | nosuch'],
    ids=["unclosed", "empty", "matches empty", "no stage"],
)  # fmt: skip
def test_refusals_are_told_in_the_servers_words(
    query: str, client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    with pytest.raises(BackendError) as caught:
        client.lines(query, seeded.start, seeded.end, deadline)

    assert caught.value.status == 400
    assert "parse error" in caught.value.detail


def test_log_query_at_an_instant_is_refused(
    client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    with pytest.raises(BackendError) as caught:
        client.query(seeded.selector, seeded.end, deadline)

    assert caught.value.status == 400


def test_too_many_points_are_refused(
    client: LokiClient, seeded: Seeded, deadline: Deadline
) -> None:
    query = f"sum(rate({seeded.selector}[1m]))"

    with pytest.raises(BackendError) as caught:
        client.query_range(query, seeded.end - 86400, seeded.end, 1, deadline)

    assert (caught.value.status, caught.value.kind) == (400, "limit")


def test_gathering_finds_labels_lines_and_counts(seeded: Seeded) -> None:
    scope = Scope(
        seeded.shop,
        started_at=seeded.start,
        as_of=seeded.end,
        services=frozenset({seeded.shop, seeded.store, seeded.mail}),
        edges=((seeded.shop, seeded.store),),
        lead_seconds=5.0,
    )
    source = Source(
        "loki", "loki", address("LOKI_URL"), headers=headers("LOKI"), timeout_seconds=20
    )

    telemetry, statuses = gather(scope, [source], 30)

    assert statuses[0].status == "ok", statuses[0].detail
    assert {line.service for line in telemetry.logs} == {seeded.shop, seeded.store, seeded.mail}
    (counted,) = (s for s in telemetry.series if s.signal == "error_log_rate")
    assert counted.service == seeded.shop
    assert counted.values.max() == 1.0
