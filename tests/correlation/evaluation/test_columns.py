from __future__ import annotations

import numpy as np
import pytest

from correlation.evaluation.columns import reading, split


@pytest.mark.parametrize(
    ("signal", "raw", "expected"),
    [
        ("latency-p95", [0.2], ("latency_p95", "s", "up", 0.2)),
        ("latency-avg", [0.2], ("latency_mean", "s", "up", 0.2)),
        ("http-server-duration-p99-ms", [800.0], ("latency_p99", "s", "up", 0.8)),
        ("availability", [95.0], ("error_ratio", "ratio", "up", 0.05)),
        ("error-rate-5xx-ratio", [0.71], ("error_ratio", "ratio", "up", 0.71)),
        ("requests", [600.0], ("request_rate", "1/s", "both", 10.0)),
        ("workload", [5.0], ("request_rate", "1/s", "both", 5.0)),
        ("db-cpu-utilization", [85.0], ("cpu_saturation", "ratio", "up", 0.85)),
        ("panic-count", [3.0], ("panic_count", "count", "up", 3.0)),
        ("node-cpu", [12.0], ("node_cpu", "cores", "up", 12.0)),
        ("client-latency-p99", [0.5], ("client_latency_p99", "s", "up", 0.5)),
        ("flux-capacity", [7.0], ("flux_capacity", "", "both", 7.0)),
    ],
)
def test_reading_follows_the_words_of_a_signal(
    signal: str, raw: list[float], expected: tuple[str, str, str, float]
) -> None:
    values = np.array(raw)

    read = reading(signal, values, step_seconds=60.0)

    assert (read.signal, read.unit, read.direction) == expected[:3]
    assert float(read.values(values)[0]) == pytest.approx(expected[3])


def test_reading_takes_a_success_rate_of_zeros_for_a_column_nobody_filled() -> None:
    assert reading("success-rate", np.zeros(3), 60.0).signal == "success_rate"


def test_split_takes_the_signal_after_the_last_underscore() -> None:
    assert split("a_b::C_latency-p95") == ("a_b::C", "latency-p95")
