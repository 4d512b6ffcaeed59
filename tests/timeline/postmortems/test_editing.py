from __future__ import annotations

import pytest

from accounts.models import User
from tests.timeline.postmortems.conftest import Drafted, text_of
from timeline.postmortems import editing
from timeline.postmortems.editing import Published, SectionConflict, Words
from timeline.postmortems.models import Postmortem


def test_words_are_kept_with_who_wrote_them(drafted: Drafted, sam: User) -> None:
    postmortem = drafted()

    (section,) = editing.write(
        postmortem_id=postmortem.pk, words=[Words("impact", "Nobody could pay.\r\n", 1)], actor=sam
    )

    assert (section.shown, section.version, section.edited_by) == ("Nobody could pay.\n", 2, sam)


def test_second_editor_is_shown_both_texts_and_nothing_is_lost(
    drafted: Drafted, sam: User, ana: User
) -> None:
    postmortem = drafted()
    editing.write(postmortem_id=postmortem.pk, words=[Words("impact", "Sam's", 1)], actor=sam)

    with pytest.raises(SectionConflict) as refused:
        editing.write(postmortem_id=postmortem.pk, words=[Words("impact", "Ana's", 1)], actor=ana)

    assert (refused.value.theirs.shown, refused.value.mine) == ("Sam's", "Ana's")
    assert text_of(postmortem, "impact") == "Sam's"


def test_conflict_in_one_section_keeps_none_of_the_others(drafted: Drafted, sam: User) -> None:
    postmortem = drafted()
    words = [Words("impact", "new", 1), Words("trigger", "new", 7)]

    with pytest.raises(SectionConflict):
        editing.write(postmortem_id=postmortem.pk, words=words, actor=sam)

    assert text_of(postmortem, "impact") != "new"


def test_two_people_edit_different_sections(drafted: Drafted, sam: User, ana: User) -> None:
    postmortem = drafted()

    editing.write(postmortem_id=postmortem.pk, words=[Words("impact", "a", 1)], actor=sam)
    editing.write(postmortem_id=postmortem.pk, words=[Words("trigger", "b", 1)], actor=ana)

    assert (text_of(postmortem, "impact"), text_of(postmortem, "trigger")) == ("a", "b")


def test_saving_what_stands_there_changes_nothing(drafted: Drafted, sam: User) -> None:
    postmortem = drafted()
    text = text_of(postmortem, "impact")

    (section,) = editing.write(
        postmortem_id=postmortem.pk, words=[Words("impact", text, 99)], actor=sam
    )

    assert (section.text, section.version, section.edited_by) == (None, 1, None)


def test_published_postmortem_is_frozen(drafted: Drafted, sam: User) -> None:
    postmortem = drafted()
    Postmortem.objects.update(state="published")

    with pytest.raises(Published):
        editing.write(postmortem_id=postmortem.pk, words=[Words("impact", "x", 1)], actor=sam)
    with pytest.raises(Published):
        editing.add_action(postmortem_id=postmortem.pk, title="x", actor=sam)
    with pytest.raises(Published):
        editing.take_draft(postmortem_id=postmortem.pk, name="impact", version=1, actor=sam)


def test_edit_makes_an_approval_void(drafted: Drafted, sam: User) -> None:
    postmortem = drafted()
    Postmortem.objects.update(state="approved")

    editing.write(postmortem_id=postmortem.pk, words=[Words("impact", "x", 1)], actor=sam)

    postmortem.refresh_from_db()
    assert (postmortem.state, [step.act for step in postmortem.steps.all()]) == (
        "draft", ["revoked"],
    )  # fmt: skip
