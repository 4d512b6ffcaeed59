"""The card of a cause: each claim with the evidence it opens."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from correlation.explaining.cause_card import card_of
from correlation.explaining.reasoning import with_ids
from correlation.models import Correlation, RootCause
from correlation.ranking import rank
from correlation.telemetry import Cause
from tests.correlation.incidents import START, incident


def stored(cause: Cause) -> tuple[RootCause, dict[str, Correlation]]:
    """The cause as it lies in the database, and its evidence by key."""
    assert cause.reasoning is not None
    rows = {
        key: Correlation(id=uuid4(), key=key, links=[{"title": "Open", "url": "https://x.example"}])
        for key in cause.supporting
    }
    kept = with_ids(cause.reasoning, lambda key: key)
    return RootCause(reasoning=kept, supporting=list(cause.supporting)), rows


def test_card_pairs_each_claim_with_its_evidence() -> None:
    cause, rows = stored(rank(incident("crash")).causes[0])

    card = card_of(cause, rows)

    assert card is not None
    assert [line.row.key for line in card.changed if line.row] == [
        one["evidence"] for one in cause.reasoning["changed"]
    ]
    assert card.more == len(rows) - len(card.changed)
    assert card.changed[0].remark.startswith("usually 0 % to ")
    assert card.changed[0].remark.endswith(" times the baseline")


def test_card_tells_onset_and_steps_with_links() -> None:
    cause, rows = stored(rank(incident("crash")).causes[0])

    card = card_of(cause, rows)

    assert card is not None
    assert (card.since, card.uncertainty_seconds) == (
        datetime.fromtimestamp(START + 5.0, UTC),
        5.0,
    )
    assert [(step.purpose, len(step.links)) for step in card.steps] == [("act", 1), ("confirm", 1)]


def test_card_of_expired_evidence_keeps_its_words() -> None:
    cause, _rows = stored(rank(incident("crash")).causes[0])

    card = card_of(cause, {})

    assert card is not None
    assert [line.row for line in card.changed] == [None] * len(card.changed)
    assert [line.text for line in card.changed] == [
        one["text"] for one in cause.reasoning["changed"]
    ]
