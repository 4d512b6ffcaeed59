from __future__ import annotations

from datetime import UTC, datetime, timedelta

from correlation import moment

NOW = datetime(2100, 1, 1, tzinfo=UTC)
A_LITTLE_LATER = NOW + timedelta(seconds=0.4)


def test_analysis_that_runs_alone_looks_at_now() -> None:
    with moment.shared(now=NOW):
        pass

    with moment.shared(now=A_LITTLE_LATER) as second:
        assert second == A_LITTLE_LATER


def test_analyses_that_run_together_share_a_moment() -> None:
    with moment.shared(now=NOW), moment.shared(now=A_LITTLE_LATER) as second:
        assert second == NOW


def test_moment_is_kept_longer_the_more_run() -> None:
    late = NOW + timedelta(seconds=0.9)

    with moment.shared(now=NOW), moment.shared(now=late) as second:
        assert second == late
    with moment.shared(now=NOW), moment.shared(now=NOW), moment.shared(now=late) as third:
        assert third == NOW


def test_moment_is_never_before_the_incident_it_is_for() -> None:
    with (
        moment.shared(now=NOW),
        moment.shared(not_before=A_LITTLE_LATER, now=A_LITTLE_LATER) as second,
    ):
        assert second == A_LITTLE_LATER
