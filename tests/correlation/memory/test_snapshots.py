"""What is kept of a run, what is said when it cannot be, and when it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from correlation import engine, engine_version, ranking_text, tasks
from correlation.memory import snapshots
from correlation.memory.snapshots import InForce, NotReplayable
from correlation.models import Analysis, EvidenceSnapshot
from correlation.ranking import rank
from correlation.telemetry import LogLine, Telemetry
from correlation.telemetry_codec import encode
from incidents.models import Incident
from tests.correlation.analysed import analysed
from tests.correlation.conftest import Backend
from tests.correlation.incidents import incident as telemetry_of
from tests.correlation.lab_backend import serve, shop_incident

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


def test_load_gives_what_was_ranked(make_incident: MakeIncident) -> None:
    seen = telemetry_of("pool")

    analysis = analysed(make_incident(), seen)

    snapshot = EvidenceSnapshot.objects.get(analysis=analysis)
    assert encode(snapshots.load(analysis)) == encode(seen)
    assert snapshots.answer_of(snapshot) == ranking_text.canonical(rank(seen))
    assert snapshots.in_force_of(snapshot) == InForce.now()
    assert (snapshot.state, snapshot.engine) == ("stored", engine_version.current())


def test_an_analysis_over_http_keeps_what_it_ranked(backend: Backend, settings: Any) -> None:
    incident = shop_incident("frontend", serve(backend, settings, "pool-exhaustion"))

    engine.run_waiting()

    analysis = incident.analyses.get()
    snapshot = EvidenceSnapshot.objects.get(analysis=analysis)
    answer = ranking_text.canonical(rank(snapshots.load(analysis)))
    assert (snapshot.state, snapshot.note, snapshot.left_out) == ("stored", "", [])
    assert ranking_text.digest(answer) == snapshot.ranking_digest
    assert snapshot.size_bytes < 1_000_000


def test_a_run_that_failed_has_no_snapshot(backend: Backend, settings: Any) -> None:
    serve(backend, settings, "pool-exhaustion")
    incident = shop_incident("frontend", timezone.now())
    backend.respond = lambda path, params: (500, "text/plain", b"oops")

    engine.run_waiting()

    analysis = incident.analyses.get()
    assert analysis.status == "failed"
    with pytest.raises(NotReplayable, match="No snapshot was stored"):
        snapshots.load(analysis)


def test_too_large_is_said_with_its_size(make_incident: MakeIncident, settings: Any) -> None:
    settings.EVIDENCE_SNAPSHOT_MAX_BYTES = 10_000

    analysis = analysed(make_incident(), telemetry_of("pool"))

    snapshot = EvidenceSnapshot.objects.get(analysis=analysis)
    assert (snapshot.state, snapshot.telemetry) == ("too_large", None)
    assert snapshot.ranking_digest == ranking_text.digest(
        ranking_text.canonical(rank(telemetry_of("pool")))
    )
    with pytest.raises(NotReplayable, match=r"Too large to keep: [\d,]+ bytes, 10,000 are allowed"):
        snapshots.load(analysis)


def with_bulky_ids(telemetry: Telemetry) -> Telemetry:
    """Random ids compress badly and no metric or log evidence depends on them."""
    rng = np.random.default_rng(1)
    lines = tuple(replace(line, trace_id=rng.bytes(16).hex()) for line in telemetry.logs)
    return replace(telemetry, logs=lines)


def test_what_the_answer_does_not_depend_on_is_cut_first() -> None:
    telemetry = with_bulky_ids(telemetry_of("pool"))
    in_force = InForce.now()
    answer = ranking_text.canonical(in_force.rank(telemetry))
    small = len(encode(telemetry, "small"))

    packed, left_out = snapshots.fitted(telemetry, answer, in_force, small - 1000)

    assert left_out == ["trace and span ids of log lines"]
    assert len(packed) <= small - 1000


def test_what_the_answer_depends_on_is_never_cut() -> None:
    """Samples from before the baseline are read by nothing; those of the window are."""
    telemetry = telemetry_of("pool")
    in_force = InForce.now()
    answer = ranking_text.canonical(in_force.rank(telemetry))

    packed, _left_out = snapshots.fitted(telemetry, answer, in_force, 1)

    again = in_force.rank(snapshots.decode(packed))
    assert ranking_text.canonical(again) == answer


def test_packing_small_is_tried_before_cutting() -> None:
    telemetry = telemetry_of("pool")
    in_force = InForce.now()
    room = len(encode(telemetry)) - 1

    packed, left_out = snapshots.fitted(telemetry, "", in_force, room)

    assert (left_out, len(packed) <= room) == ([], True)


def test_telemetry_that_cannot_be_kept_fails_visibly(make_incident: MakeIncident) -> None:
    seen = replace(telemetry_of("pool"), roles={"db": object()})  # type: ignore[dict-item]

    analysis = analysed(make_incident(), seen)

    snapshot = EvidenceSnapshot.objects.get(analysis=analysis)
    assert (analysis.status, snapshot.state) == ("done", "failed")
    with pytest.raises(NotReplayable, match="TypeError: a object cannot be kept"):
        snapshots.load(analysis)


def test_prune_drops_contents_and_keeps_the_row(make_incident: MakeIncident, settings: Any) -> None:
    settings.EVIDENCE_SNAPSHOT_DAYS = 90
    old = analysed(make_incident("one"), telemetry_of("pool"))
    young = analysed(make_incident("two"), telemetry_of("oom"))
    past = timezone.now() - timedelta(days=91)
    EvidenceSnapshot.objects.filter(analysis=old).update(stored_at=past)

    tasks.prune_snapshots()

    kept = EvidenceSnapshot.objects.get(analysis=old)
    assert (kept.state, kept.telemetry, kept.context, kept.ranking) == ("expired", None, None, None)
    assert len(kept.ranking_digest) == 64
    assert EvidenceSnapshot.objects.get(analysis=young).state == "stored"
    with pytest.raises(NotReplayable, match="Expired: kept for 90 days"):
        snapshots.load(old)


def test_damaged_bytes_are_not_replayable(make_incident: MakeIncident) -> None:
    analysis = analysed(make_incident(), telemetry_of("pool"))
    EvidenceSnapshot.objects.update(telemetry=b"RSTE1zjunk")

    with pytest.raises(NotReplayable, match="the telemetry is damaged"):
        snapshots.load(Analysis.objects.get(pk=analysis.pk))


def test_described_leaves_the_megabytes_in_the_database(make_incident: MakeIncident) -> None:
    analysed(make_incident(), telemetry_of("pool"))

    snapshot = EvidenceSnapshot.objects.described().get()

    assert snapshot.get_deferred_fields() == {"telemetry", "ranking", "context"}


def test_log_lines_keep_their_order(make_incident: MakeIncident) -> None:
    lines = tuple(LogLine("cart", 1.0, f"line {n}") for n in (3, 1, 2))
    seen = replace(telemetry_of("pool"), logs=lines)

    analysis = analysed(make_incident(), seen)

    assert snapshots.load(analysis).logs == lines
