from __future__ import annotations

import hashlib
from typing import Any

import pytest

from accounts.models import User
from incidents import lifecycle, signals
from incidents.models import Incident, IncidentTask
from tests.timeline.postmortems.conftest import Drafted, text_of
from tests.timeline.reporting.conftest import written
from timeline.aftermath import after_sealing
from timeline.models import Kind
from timeline.postmortems import drafts, editing, review
from timeline.postmortems.editing import Words
from timeline.postmortems.models import Postmortem
from timeline.postmortems.review import StepRefused
from timeline.verify import verify


def approved(postmortem: Postmortem, sam: User, ana: User) -> Postmortem:
    review.request_review(postmortem_id=postmortem.pk, actor=sam)
    return review.approve(postmortem_id=postmortem.pk, actor=ana, comment="Reads well.")


def test_somebody_else_approves_with_a_comment(drafted: Drafted, sam: User, ana: User) -> None:
    postmortem = drafted()
    review.request_review(postmortem_id=postmortem.pk, actor=sam, comment="please")

    with pytest.raises(StepRefused, match="Somebody else"):
        review.approve(postmortem_id=postmortem.pk, actor=sam, comment="mine is fine")
    with pytest.raises(StepRefused, match="comment"):
        review.approve(postmortem_id=postmortem.pk, actor=ana, comment="  ")
    done = review.approve(postmortem_id=postmortem.pk, actor=ana, comment="Reads well.")

    assert (done.state, done.approved_by) == ("approved", ana)
    assert [(s.act, s.by, s.comment) for s in postmortem.steps.all()] == [
        ("requested", sam, "please"), ("approved", ana, "Reads well."),
    ]  # fmt: skip


def test_review_can_ask_for_changes(drafted: Drafted, sam: User, ana: User) -> None:
    postmortem = drafted()
    review.request_review(postmortem_id=postmortem.pk, actor=sam)

    back = review.send_back(postmortem_id=postmortem.pk, actor=ana, comment="Say who noticed.")

    assert back.state == "draft"


def test_publishing_freezes_the_text_with_its_digest(
    drafted: Drafted, sam: User, ana: User
) -> None:
    postmortem = drafted("Checkout <errors>")
    editing.write(postmortem_id=postmortem.pk, words=[Words("impact", "Much.", 1)], actor=sam)
    approved(postmortem, sam, ana)
    heard: list[Any] = []

    def hear(postmortem: Postmortem, actor: User, **more: Any) -> None:
        heard.append((postmortem.pk, actor))

    signals.postmortem_published.connect(hear)
    done = review.publish(postmortem_id=postmortem.pk, actor=sam)
    signals.postmortem_published.disconnect(hear)

    assert (done.state, done.published_by, heard) == ("published", sam, [(postmortem.pk, sam)])
    assert done.digest == hashlib.sha256(done.markdown.encode()).hexdigest()
    assert done.markdown.startswith("# Checkout \\<errors\\>\n")
    assert "## Impact\n\nMuch.\n" in done.markdown


def test_publishing_makes_the_action_items_tasks(drafted: Drafted, sam: User, ana: User) -> None:
    postmortem = drafted(services=("checkout",))
    first, second = postmortem.actions.all()[:2]
    kept = postmortem.actions.count() - 1
    editing.drop_action(postmortem_id=postmortem.pk, action_id=first.pk, dropped=True)
    made = review.make_task(postmortem_id=postmortem.pk, action_id=second.pk, actor=sam)
    again = review.make_task(postmortem_id=postmortem.pk, action_id=second.pk, actor=sam)

    approved(postmortem, sam, ana)
    review.publish(postmortem_id=postmortem.pk, actor=sam)

    titles = sorted(IncidentTask.objects.values_list("title", flat=True))
    assert made.task_id == again.task_id
    assert len(titles) == kept
    assert titles == sorted(
        postmortem.actions.filter(dropped=False).values_list("title", flat=True)
    )


def test_draft_is_not_published_without_approval(drafted: Drafted, sam: User) -> None:
    with pytest.raises(StepRefused, match="approves"):
        review.publish(postmortem_id=drafted().pk, actor=sam)


def test_installation_may_do_without_approval(drafted: Drafted, sam: User, settings: Any) -> None:
    settings.POSTMORTEM_REQUIRES_APPROVAL = False

    assert review.publish(postmortem_id=drafted().pk, actor=sam).state == "published"


def test_nothing_is_published_of_an_incident_that_is_open_again(
    drafted: Drafted, sam: User, ana: User
) -> None:
    postmortem = approved(drafted(), sam, ana)
    lifecycle.reopen(incident_id=postmortem.incident_id, actor=sam)

    with pytest.raises(StepRefused, match="open again"):
        review.publish(postmortem_id=postmortem.pk, actor=sam)


def test_correction_is_a_new_revision_and_the_published_one_stays(
    drafted: Drafted, sam: User, ana: User
) -> None:
    first = drafted()
    editing.write(postmortem_id=first.pk, words=[Words("impact", "Much.", 1)], actor=sam)
    approved(first, sam, ana)
    first = review.publish(postmortem_id=first.pk, actor=sam)

    second = drafts.revise(incident=first.incident, actor=ana)
    editing.write(postmortem_id=second.pk, words=[Words("impact", "Less.", 1)], actor=ana)

    assert (second.revision, second.state, text_of(second, "impact")) == (2, "draft", "Less.")
    assert text_of(first, "impact") == "Much."
    assert drafts.revise(incident=first.incident, actor=sam).pk == second.pk


def test_reopening_after_publication_brings_a_new_revision_with_the_words(
    drafted: Drafted, sam: User, ana: User
) -> None:
    first = drafted()
    editing.write(postmortem_id=first.pk, words=[Words("resolution", "Mine.", 1)], actor=sam)
    approved(first, sam, ana)
    review.publish(postmortem_id=first.pk, actor=sam)
    lifecycle.reopen(incident_id=first.incident_id, actor=None)
    lifecycle.resolve(incident_id=first.incident_id, actor=None)

    written(Incident.objects.get(pk=first.incident_id))

    second = drafts.newest(first.incident)
    assert second is not None
    assert (second.revision, text_of(second, "resolution")) == (2, "Mine.")
    assert second.sections.get(name="resolution").has_newer_draft


def test_way_of_the_postmortem_is_told_after_the_seal(
    drafted: Drafted, sam: User, ana: User
) -> None:
    postmortem = drafted()
    approved(postmortem, sam, ana)
    review.publish(postmortem_id=postmortem.pk, actor=sam)

    rows = [row for row in after_sealing(postmortem.incident) if "ostmortem" in row.title]

    assert [(row.title, row.detail) for row in rows] == [
        ("Postmortem drafted", ""),
        ("Postmortem: sam asked for a review", ""),
        ("Postmortem: ana approved it", "Reads well."),
        ("Postmortem: sam published it", ""),
    ]
    assert {row.url for row in rows} == {f"{postmortem.incident.get_absolute_url()}/postmortem"}
    assert not postmortem.incident.timeline.filter(kind=Kind.POSTMORTEM).exists()


def test_review_while_the_incident_is_open_again_stands_on_its_timeline(
    drafted: Drafted, sam: User
) -> None:
    postmortem = drafted()
    lifecycle.reopen(incident_id=postmortem.incident_id, actor=sam, reason="It came back.")

    review.request_review(postmortem_id=postmortem.pk, actor=sam, comment="please")

    event = postmortem.incident.timeline.get(kind=Kind.POSTMORTEM)
    assert (event.title, event.body, event.actor) == (
        "Postmortem: sam asked for a review", "please", sam,
    )  # fmt: skip
    assert verify(postmortem.incident).ok
