"""Whole passes against the lab's stand-in for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from correlation.models import DataSource
from slos.burn import HOUR
from slos.evaluating import catching_up, history, samples
from slos.evaluating.evaluation import NO_SOURCE, evaluate, minute
from slos.models import SLO, SLOCorrection, SLOSample, SLOSnapshot
from tests.correlation.conftest import Backend

Make = Callable[..., SLO]
LATENCY = {
    "kind": "latency",
    "histogram": 'http_request_duration_seconds{service="payment-processing"}',
    "seconds": 0.25,
}


def test_pass_says_how_the_slo_stands(make_slo: Make, lab_end: float) -> None:
    slo = make_slo()

    done = evaluate(lab_end)

    slo.refresh_from_db()
    assert (done.evaluated, done.failed, slo.error) == (1, 0, "")
    assert slo.burn_rates["1m"] > slo.burn_rates["5m"] > 14.4
    assert slo.evaluated_at == samples.when(minute(lab_end))
    assert SLOSnapshot.objects.get().burn_rates == slo.burn_rates


def test_pass_asks_as_often_for_three_services_as_for_one(make_slo: Make, lab_end: float) -> None:
    end = samples.boundary(lab_end)
    make_slo()
    one = evaluate(end).queries

    make_slo("checkout")
    make_slo("frontend")
    three = evaluate(end)

    # three a window, the row's three, of which one is the window's too, and one for records
    assert (three.evaluated, three.queries, one) == (3, one, 21)


def test_each_service_gets_its_own_numbers(make_slo: Make, lab_end: float) -> None:
    broken, healthy = make_slo(), make_slo("catalogue")

    evaluate(lab_end)

    broken.refresh_from_db()
    healthy.refresh_from_db()
    assert healthy.burn_rates["1m"] == 0.0
    assert broken.burn_rates["1m"] > 14.4


def test_latency_slo_counts_its_bucket(make_slo: Make, lab_end: float) -> None:
    slo = make_slo(name="latency", indicator=LATENCY, target=0.95)

    evaluate(lab_end)

    slo.refresh_from_db()
    assert slo.error == ""
    assert slo.burn_rates["1m"] > 1.0


def test_latency_without_a_bucket_at_its_threshold_has_no_data(
    make_slo: Make, lab_end: float
) -> None:
    slo = make_slo(name="latency", indicator=LATENCY | {"seconds": 0.2345}, target=0.95)

    evaluate(lab_end)

    slo.refresh_from_db()
    assert (slo.status, slo.quality, slo.burn_rates["1h"]) == ("no_data", "no_data", None)


def test_pass_keeps_what_was_edited_while_it_asked(make_slo: Make, lab_end: float) -> None:
    slo = make_slo()
    kept = [SLO.objects.get(pk=slo.pk)]
    SLO.objects.filter(pk=slo.pk).update(display_name="Renamed", version=2)

    evaluate(lab_end, kept)

    slo.refresh_from_db()
    assert (slo.display_name, slo.version, SLO.objects.count()) == ("Renamed", 2, 1)
    assert slo.evaluated_at is not None


MEANT = ("SELECT", "INSERT", "UPDATE", "DELETE")


def kinds(captured: CaptureQueriesContext) -> list[str]:
    """What each statement does, so that a failure names the one too many."""
    found = (query["sql"] for query in captured.captured_queries)
    return [sql[:60] for sql in found if sql.startswith(MEANT)]


def test_pass_takes_as_many_statements_for_three_slos_as_for_one(
    make_slo: Make, lab_end: float
) -> None:
    end = samples.boundary(lab_end - 300)
    calm = {"target": 0.95, "least_events": 1e9}  # breaches write rows of their own
    make_slo("catalogue", **calm)
    evaluate(end - 360)
    with CaptureQueriesContext(connection) as one:
        evaluate(end - 300)

    make_slo("frontend", **calm)
    make_slo("checkout", **calm)
    evaluate(end - 60)
    with CaptureQueriesContext(connection) as three:
        evaluate(end)

    assert kinds(three) == kinds(one)


def test_five_minute_rows_fill_the_period(make_slo: Make, lab_end: float) -> None:
    slo = make_slo()
    end = samples.boundary(lab_end)

    stored = catching_up.catch_up(end)
    evaluate(end)

    slo.refresh_from_db()
    rows = SLOSample.objects.filter(slo=slo, seconds=300)
    assert rows.count() == stored
    assert slo.quality == "partial"  # some minutes of thirty days
    assert slo.sli == pytest.approx(sum(r.good for r in rows) / sum(r.total for r in rows))


def test_minutes_of_a_period_give_no_verdict_on_its_budget(make_slo: Make, lab_end: float) -> None:
    slo = make_slo(policies=[])
    catching_up.catch_up(samples.boundary(lab_end))

    evaluate(lab_end)  # the boundary may lie before the fault

    slo.refresh_from_db()
    assert slo.budget_remaining is not None
    assert slo.budget_remaining < 0  # of the twenty minutes that exist
    assert (slo.status, slo.quality, slo.is_overspent) == ("no_data", "partial", False)
    assert not slo.breaches.exists()


def test_second_pass_of_a_minute_changes_nothing(make_slo: Make, lab_end: float) -> None:
    make_slo()
    end = samples.boundary(lab_end)

    first, second = evaluate(end), evaluate(end)

    assert (first.stored, second.stored) == (1, 0)
    assert SLOSnapshot.objects.count() == 1


def test_missed_minutes_are_caught_up(make_slo: Make, lab_end: float) -> None:
    slo = make_slo()
    end = samples.boundary(lab_end)
    catching_up.catch_up(end - 900)

    stored = catching_up.catch_up(end)

    assert stored == 3
    assert catching_up.catch_up(end) == 0
    assert samples.sums({(end - 900, end): [slo.pk]})[slo.pk, 900].present == pytest.approx(1, 0.1)


def test_source_that_does_not_answer_is_said_on_the_slo(
    make_slo: Make, lab_end: float, backend: Backend
) -> None:
    slo = make_slo()
    evaluate(lab_end)
    backend.respond = lambda path, params: (503, "text/plain", b"out of memory")

    done = evaluate(lab_end + 60)

    slo.refresh_from_db()
    assert (done.evaluated, done.failed) == (0, 1)
    assert slo.quality == "failed"
    assert "503" in slo.error
    assert slo.burn_rates["1m"] > 14.4  # what was known stays
    newest = SLOSnapshot.objects.latest("at")
    assert (newest.quality, newest.burn_rates) == ("failed", {})


def test_source_that_answers_again_clears_the_failure(
    make_slo: Make, lab_end: float, backend: Backend
) -> None:
    slo = make_slo()
    answering = backend.respond
    backend.respond = lambda path, params: (503, "text/plain", b"")
    evaluate(lab_end - 60)
    backend.respond = answering

    evaluate(lab_end)

    slo.refresh_from_db()
    assert (slo.error, slo.failed_at) == ("", None)


def test_slo_without_a_source_says_so(make_slo: Make) -> None:
    slo = make_slo()

    evaluate(1_800_000_000.0)

    slo.refresh_from_db()
    assert slo.error == NO_SOURCE


def test_older_pass_does_not_overwrite_a_newer_one(make_slo: Make, lab_end: float) -> None:
    slo = make_slo()
    evaluate(lab_end)

    evaluate(lab_end - 120)

    slo.refresh_from_db()
    assert slo.evaluated_at == samples.when(minute(lab_end))


def test_service_that_nobody_measures_has_no_data(make_slo: Make, lab_end: float) -> None:
    slo = make_slo("postgres")

    evaluate(lab_end)

    slo.refresh_from_db()
    assert (slo.status, slo.quality, slo.sli) == ("no_data", "no_data", None)
    assert slo.burn_rates["1h"] is None


def test_correction_leaves_its_rows_out(make_slo: Make, lab_end: float) -> None:
    slo = make_slo()
    end = samples.boundary(lab_end)
    catching_up.catch_up(end)
    whole = samples.sums({(end - HOUR, end): [slo.pk]})[slo.pk, HOUR]
    correction = SLOCorrection.objects.create(
        slo=slo,
        starts_at=samples.when(end - 400),
        ends_at=samples.when(end - 350),
        reason="A drill.",
    )

    samples.exclude(slo.pk, correction.starts_at, correction.ends_at)

    rows = SLOSample.objects.filter(slo=slo, seconds=300)
    left_out = rows.get(excluded=True)
    corrected = samples.sums({(end - HOUR, end): [slo.pk]})[slo.pk, HOUR]
    assert left_out.at == samples.when(end - 300)
    assert corrected.total == pytest.approx(whole.total - left_out.total)


def test_withdrawn_correction_counts_again(make_slo: Make, lab_end: float) -> None:
    slo = make_slo()
    end = samples.boundary(lab_end)
    catching_up.catch_up(end)
    before = samples.sums({(end - HOUR, end): [slo.pk]})
    correction = SLOCorrection.objects.create(
        slo=slo, starts_at=samples.when(end - 900), ends_at=samples.when(end), reason="A drill."
    )
    samples.exclude(slo.pk, correction.starts_at, correction.ends_at)

    SLOCorrection.objects.update(withdrawn_at=correction.created_at + timedelta(seconds=1))
    samples.exclude(slo.pk, correction.starts_at, correction.ends_at)

    assert samples.sums({(end - HOUR, end): [slo.pk]}) == before


def test_history_that_is_not_answered_keeps_what_was_stored(
    make_slo: Make, lab_end: float, backend: Backend
) -> None:
    slo = make_slo()
    source = lab_source()
    backend.respond = lambda path, params: (500, "text/plain", b"")

    with pytest.raises(history.Unanswered):
        history.fill(source, {slo.pk: slo.definition().indicator}, lab_end - 900, lab_end)

    assert SLOSample.objects.count() == 0


def lab_source() -> history.Source:
    from correlation.data_sources.catalogue import source_of

    return source_of(DataSource.objects.get(slug="prometheus"))


def test_bucket_that_is_not_there_is_no_data_and_not_zero_percent(
    make_slo: Make, lab_end: float
) -> None:
    slo = make_slo(name="between", indicator={**LATENCY, "seconds": 0.2345}, target=0.95)

    evaluate(lab_end)

    slo.refresh_from_db()
    assert (slo.status, slo.quality, slo.sli) == ("no_data", "no_data", None)
    assert set(slo.burn_rates.values()) == {None}
    assert slo.firing() == []


def test_history_of_a_new_slo_is_fetched_though_a_pass_came_first(
    make_slo: Make, lab_end: float
) -> None:
    slo = make_slo()
    end = samples.boundary(lab_end)
    evaluate(end)
    first = SLOSample.objects.filter(slo=slo, seconds=300).count()

    catching_up.catch_up(end)

    assert (first, SLOSample.objects.filter(slo=slo, seconds=300).count() > 1) == (1, True)
