"""What the evidence panel shows first."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from correlation.models import Analysis, Correlation, RootCause
from correlation.panels import causes, evidence
from incidents.models import Incident


def make_rows(incident: Incident, *types: str) -> list[Correlation]:
    """A finished analysis with one row a type, strongest first."""
    Analysis.objects.filter(incident=incident).delete()
    analysis = Analysis.objects.create(incident=incident, status="done")
    return Correlation.objects.bulk_create(
        Correlation(
            id=uuid4(),
            analysis=analysis,
            key=f"{kind}:{rank}",
            rank=rank,
            type=kind,
            service="checkout",
            signal="signal",
            title=f"{kind} {rank}",
            confidence_score=1.0 - rank / 100,
        )
        for rank, kind in enumerate(types, start=1)
    )


def test_evidence_shows_one_of_each_type_before_more_of_the_same(
    make_incident: Callable[..., Incident],
) -> None:
    incident = make_incident()
    make_rows(incident, *["metric"] * 14, "log", "trace", "kubernetes", "change")

    panel = evidence(incident, None)

    assert [row.title for row in panel["front"]] == [
        *(f"metric {n}" for n in range(1, 7)), "log 15", "trace 16", "kubernetes 17", "change 18",
    ]  # fmt: skip
    assert [row.title for row in panel["behind"]] == [f"metric {n}" for n in range(7, 15)]


def test_evidence_for_the_top_cause_stands_for_its_type(
    make_incident: Callable[..., Incident],
) -> None:
    incident = make_incident()
    rows = make_rows(incident, *["metric"] * 12, "log", "log")
    proof = rows[-1]
    RootCause.objects.create(
        analysis=proof.analysis, rank=1, service="checkout", kind="code_error",
        title="checkout", confidence=0.9, supporting=[str(rows[0].pk), str(proof.pk)],
    )  # fmt: skip

    shown = [row.title for row in evidence(incident, None)["front"]]

    assert shown == [*(f"metric {n}" for n in range(1, 10)), "log 14"]


def test_cause_without_parts_has_no_card(make_incident: Callable[..., Incident]) -> None:
    incident = make_incident()
    (row,) = make_rows(incident, "metric")
    RootCause.objects.create(
        analysis=row.analysis, rank=1, service="checkout", kind="code_error",
        title="checkout", confidence=0.9, explanation="Since: 10:00", supporting=[str(row.pk)],
    )  # fmt: skip

    (cause,) = causes(incident, None)["causes"]

    assert cause.card is None


def test_inconclusive_answer_says_what_to_look_at(make_incident: Callable[..., Incident]) -> None:
    incident = make_incident()
    (row,) = make_rows(incident, "metric")
    row.links = [{"title": "Open in Grafana", "url": "https://g.example/explore"}]
    row.save(update_fields=["links"])
    checks = [{"purpose": "compare", "text": "Look at it.", "evidence": str(row.pk)}]
    Analysis.objects.filter(pk=row.analysis_id).update(status="inconclusive", checks=checks)

    (step,) = causes(incident, None)["steps"]

    assert (step.text, step.row, step.links) == ("Look at it.", row, row.links)
