from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from slos.evaluating import samples
from slos.evaluating.evaluation import evaluate
from slos.models import SLO, SLOSample, SLOSnapshot
from tests.correlation.conftest import Backend

Make = Callable[..., SLO]


def run(start: float, end: float, *names: str) -> str:
    out = StringIO()
    times = [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (start, end)]
    call_command(
        "backfill_slos", *names, "--from", times[0], "--to", times[1], stdout=out, stderr=StringIO()
    )
    return out.getvalue()


def test_history_is_rebuilt_from_what_prometheus_has(make_slo: Make, lab_end: float) -> None:
    slo = make_slo()

    said = run(lab_end - 1200, lab_end)

    rows = SLOSample.objects.filter(slo=slo, seconds=300).count()
    assert rows >= 3
    assert f"Five-minute rows stored: {rows}." in said
    assert SLOSnapshot.objects.filter(slo=slo).count() >= rows


def test_second_run_changes_nothing(make_slo: Make, lab_end: float) -> None:
    make_slo()
    run(lab_end - 1200, lab_end)
    before = list(SLOSnapshot.objects.order_by("at").values())

    said = run(lab_end - 1200, lab_end)

    assert said == "Five-minute rows stored: 0.\nSnapshots made: 0.\n"
    assert list(SLOSnapshot.objects.order_by("at").values()) == before


def test_rebuilt_snapshot_says_what_the_pass_said(make_slo: Make, lab_end: float) -> None:
    slo = make_slo()
    end = samples.boundary(lab_end)
    run(lab_end - 1200, end)
    rebuilt = SLOSnapshot.objects.get(slo=slo, at=samples.when(end))
    rebuilt.delete()

    evaluate(end)

    passed = SLOSnapshot.objects.get(slo=slo, at=samples.when(end))
    assert (rebuilt.status, rebuilt.quality) == (passed.status, passed.quality)
    assert rebuilt.sli == pytest.approx(passed.sli)
    # a row reaches one scrape further back than [5m]
    assert rebuilt.burn_rates["5m"] == pytest.approx(passed.burn_rates["5m"], rel=0.05)
    assert rebuilt.burn_rates["1d"] == passed.burn_rates["1d"]


def test_source_that_does_not_answer_is_named(
    make_slo: Make,
    lab_end: float,
    backend: Backend,
) -> None:
    make_slo()
    backend.respond = lambda path, params: (500, "text/plain", b"")

    with pytest.raises(CommandError, match="The data source prometheus") as failed:
        run(lab_end - 1200, lab_end)

    assert failed.value.returncode == 1


def test_unknown_name_is_refused(make_slo: Make, lab_end: float) -> None:
    with pytest.raises(CommandError, match="No enabled SLO is named nobody") as failed:
        run(lab_end - 1200, lab_end, "nobody")

    assert failed.value.returncode == 2


def test_span_that_ends_before_it_starts_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="--from must be before --to"):
        run(2_000.0, 1_000.0)
