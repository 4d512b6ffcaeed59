"""Drafting from the seal, and drafting again beside what people wrote."""

from __future__ import annotations

import pytest

from accounts.models import User
from incidents import lifecycle
from incidents.models import Incident, Service
from tests.timeline.postmortems.conftest import Drafted, MakeIncident, text_of
from tests.timeline.reporting.conftest import written
from timeline.models import TimelineAnchor
from timeline.postmortems import drafts, editing
from timeline.postmortems.editing import Words
from timeline.postmortems.models import Postmortem, PostmortemTemplate
from timeline.postmortems.templates import BUILT_IN, template_for

pytestmark = pytest.mark.django_db


def test_report_and_postmortem_are_written_together(make_incident: MakeIncident) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    incident = Incident.objects.get(pk=incident.pk)

    report = written(incident)

    postmortem = Postmortem.objects.get()
    assert (postmortem.revision, postmortem.state, postmortem.root_digest) == (
        1, "draft", report.root_digest,
    )  # fmt: skip
    assert list(postmortem.sections.values_list("name", flat=True)) == [o.name for o in BUILT_IN]


def test_statements_link_to_events_of_the_sealed_timeline(drafted: Drafted) -> None:
    postmortem = drafted("Checkout errors")
    incident = postmortem.incident

    summary = text_of(postmortem, "summary")

    assert f"([event 1](/incidents/{incident.reference}#event-1))" in summary
    assert postmortem.root_digest == TimelineAnchor.objects.get(pk=incident.pk).root_digest


def test_open_incident_has_no_postmortem_to_draft(make_incident: MakeIncident) -> None:
    with pytest.raises(drafts.NotSealed):
        drafts.draft_now(incident=make_incident())


@pytest.mark.parametrize("closed_as", ["duplicate", "false_positive", "drill"])
def test_what_was_no_failure_has_a_report_and_no_postmortem(
    make_incident: MakeIncident, closed_as: str
) -> None:
    incident = make_incident()
    lifecycle.resolve(incident_id=incident.pk, actor=None)
    Incident.objects.update(closed_as=closed_as)

    report = written(Incident.objects.get())

    assert (report.state, Postmortem.objects.count()) == ("done", 0)


def reopened_and_resolved(incident: Incident) -> None:
    lifecycle.reopen(incident_id=incident.pk, actor=None, reason="it came back")
    lifecycle.resolve(incident_id=incident.pk, actor=None, resolution="fixed for good")
    written(Incident.objects.get(pk=incident.pk))


def test_new_draft_never_overwrites_a_persons_words(drafted: Drafted, sam: User) -> None:
    postmortem = drafted()
    words = [Words("resolution", "My own words.", 1)]
    editing.write(postmortem_id=postmortem.pk, words=words, actor=sam)

    reopened_and_resolved(postmortem.incident)

    section = postmortem.sections.get(name="resolution")
    assert (section.shown, section.edited_by, section.has_newer_draft) == (
        "My own words.", sam, True,
    )  # fmt: skip
    assert "fixed for good" in section.drafted


def test_section_nobody_wrote_in_follows_the_record(drafted: Drafted) -> None:
    postmortem = drafted()
    before = postmortem.sections.get(name="resolution")

    reopened_and_resolved(postmortem.incident)

    after = postmortem.sections.get(name="resolution")
    assert "fixed for good" in after.shown
    assert (after.version, after.has_newer_draft) == (before.version + 1, False)


def test_newer_draft_is_taken_or_waved_off(drafted: Drafted, sam: User) -> None:
    postmortem = drafted()
    for name in ("resolution", "detection"):
        editing.write(postmortem_id=postmortem.pk, words=[Words(name, "Mine.", 1)], actor=sam)
    postmortem.sections.update(drafted="Newer.")

    taken = editing.take_draft(postmortem_id=postmortem.pk, name="resolution", version=2, actor=sam)
    kept = editing.keep_words(postmortem_id=postmortem.pk, name="detection")

    assert (taken.shown, taken.has_newer_draft) == ("Newer.", False)
    assert (kept.shown, kept.has_newer_draft) == ("Mine.", False)


def test_drafting_twice_suggests_each_action_once(drafted: Drafted) -> None:
    postmortem = drafted()
    before = list(postmortem.actions.values_list("key", flat=True))
    action = postmortem.actions.all()[0]
    editing.drop_action(postmortem_id=postmortem.pk, action_id=action.pk, dropped=True)

    drafts.draft_now(incident=postmortem.incident)

    assert list(postmortem.actions.values_list("key", flat=True)) == before
    assert postmortem.actions.get(pk=action.pk).dropped


def test_most_particular_template_fits(drafted: Drafted, make_incident: MakeIncident) -> None:
    incident = make_incident(services=("checkout",))
    service = Service.objects.get(slug="checkout")
    for name, severity, of in (
        ("any", "", None), ("high", "high", None),
        ("checkout", "", service), ("low", "low", service),
    ):  # fmt: skip
        made = PostmortemTemplate.objects.create(name=name, severity=severity, service=of)
        made.sections.create(name="summary", title=f"Summary by {name}")

    chosen = [template_for(incident).name]
    for name in ("checkout", "high", "any"):
        PostmortemTemplate.objects.filter(name=name).update(enabled=False)
        chosen.append(template_for(incident).name)

    assert chosen == ["checkout", "high", "any", ""]


def test_template_decides_the_sections_and_their_titles(drafted: Drafted) -> None:
    made = PostmortemTemplate.objects.create(name="short")
    made.sections.create(name="legal", title="Legal", hint="Who was told?", position=2)
    made.sections.create(name="summary", title="In short", position=1)

    postmortem = drafted()

    sections = [(one.name, one.title, bool(one.drafted)) for one in postmortem.sections.all()]
    assert (postmortem.template, sections) == (
        "short", [("summary", "In short", True), ("legal", "Legal", False)],
    )  # fmt: skip
