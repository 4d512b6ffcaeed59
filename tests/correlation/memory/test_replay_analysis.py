"""manage.py replay_analysis: equal, different, not replayable, and why."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from correlation.models import Analysis, EvidenceSnapshot
from correlation.telemetry_codec import decode, encode
from incidents.models import Incident
from tests.correlation.analysed import analysed
from tests.correlation.incidents import incident as telemetry_of

pytestmark = pytest.mark.django_db
MakeIncident = Callable[..., Incident]


def run(*arguments: str) -> tuple[int, list[str]]:
    """(exit status, lines)."""
    out = StringIO()
    status = 0
    try:
        call_command("replay_analysis", *arguments, stdout=out)
    except SystemExit as ended:
        status = int(str(ended.code))
    return status, out.getvalue().splitlines()


@pytest.fixture
def analysis(make_incident: MakeIncident) -> Analysis:
    return analysed(make_incident(), telemetry_of("pool"))


def test_an_unchanged_engine_answers_the_same_bytes(analysis: Analysis) -> None:
    status, lines = run(str(analysis.pk))

    digest = EvidenceSnapshot.objects.get().ranking_digest[:12]
    assert status == 0
    assert lines == [
        f"{analysis.incident.reference} {analysis.pk}: equal, {digest}",
        "1 equal, 0 differ, 0 not replayable",
    ]


def test_an_incident_stands_for_its_latest_run(analysis: Analysis) -> None:
    latest = analysed(analysis.incident, telemetry_of("oom"))

    status, lines = run(analysis.incident.reference)

    assert (status, str(latest.pk) in lines[0]) == (0, True)


def test_other_telemetry_differs_and_is_named(analysis: Analysis) -> None:
    snapshot = EvidenceSnapshot.objects.get()
    seen = decode(bytes(snapshot.telemetry or b""))
    lines_gone = replace(seen, logs=())
    EvidenceSnapshot.objects.update(telemetry=encode(lines_gone))

    status, lines = run(str(analysis.pk), "--diff")

    assert status == 1
    assert "differs" in lines[0]
    assert any(line.startswith("  causes[0].") and " -> " in line for line in lines)
    assert lines[-1] == "0 equal, 1 differ, 0 not replayable"


def test_rules_of_then_are_used_and_their_change_is_told(analysis: Analysis) -> None:
    """A pack of then that knew one rule: replayed with it, and different with today's."""
    snapshot = EvidenceSnapshot.objects.get()
    context = json.loads(zlib.decompress(bytes(snapshot.context or b"")))
    definition = {
        "kind": "gremlins", "title": "{service}: gremlins", "any": [{"feature": "own_errors"}],
    }  # fmt: skip
    context["rules"]["rules"] = [
        {"name": "gremlins", "priority": 1000, "shipped": True, "definition": definition}
    ]
    EvidenceSnapshot.objects.update(
        context=zlib.compress(json.dumps(context).encode()), rules_digest="0" * 64
    )

    then, then_lines = run(str(analysis.pk), "--diff")
    now, now_lines = run(str(analysis.pk), "--with-current")

    assert (then, now) == (1, 0)
    assert any("rules: 000000000000 then, " in line for line in then_lines)
    assert any("gremlins" in line for line in then_lines)
    assert now_lines[0].split(": ")[1].startswith("equal")


def test_calibration_of_then_is_used(analysis: Analysis) -> None:
    snapshot = EvidenceSnapshot.objects.get()
    context = json.loads(zlib.decompress(bytes(snapshot.context or b"")))
    context["calibration"] |= {"version": "older", "intercept": -9.0}
    EvidenceSnapshot.objects.update(
        context=zlib.compress(json.dumps(context).encode()), calibration_version="older"
    )

    status, lines = run(str(analysis.pk), "--diff")

    assert status == 1
    assert any(line.startswith("  changed since: calibration: older then") for line in lines)
    assert any("causes[0].confidence" in line for line in lines)


def test_another_code_is_told_though_the_answer_is_equal(analysis: Analysis) -> None:
    snapshot = EvidenceSnapshot.objects.get()
    EvidenceSnapshot.objects.update(engine={**snapshot.engine, "code": "0123456789ab"})

    status, lines = run(str(analysis.pk))

    assert status == 0
    assert lines[1].startswith("  changed since: ranking code: 0123456789ab then, ")


def test_what_expired_is_not_replayable(analysis: Analysis) -> None:
    EvidenceSnapshot.objects.update(state="expired", note="kept for 90 days.", telemetry=None)

    status, lines = run(str(analysis.pk))

    assert status == 2
    assert lines[0].endswith("not replayable. Expired: kept for 90 days.")


def test_all_since_takes_every_finished_run(
    analysis: Analysis, make_incident: MakeIncident
) -> None:
    other = analysed(make_incident("two"), telemetry_of("oom"))
    EvidenceSnapshot.objects.filter(analysis=other).delete()

    status, lines = run("--all-since", "2020-01-01")

    assert (status, lines[-1]) == (2, "1 equal, 0 differ, 1 not replayable")


@pytest.mark.parametrize("arguments", [[], ["INC-9999"], ["not an id"]])
def test_what_does_not_exist_is_an_error(db: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        run(*arguments)

    assert refused.value.returncode == 2


@pytest.mark.parametrize("text", ["yesterday", "2026-05-01T12:00:00"])
def test_a_time_without_its_zone_is_refused(db: None, text: str) -> None:
    with pytest.raises(CommandError, match="is not a day or a time with its zone"):
        run("--all-since", text)
