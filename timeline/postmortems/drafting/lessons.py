"""What went well, what went wrong, where luck helped, what is not known. Pure."""

from __future__ import annotations

from timeline.postmortems.drafting import wording
from timeline.postmortems.drafting.wording import beside, bullets, lasted, listed, pace
from timeline.postmortems.facts import Facts, cited, cited_markdown
from timeline.reporting.markdown import escaped, percent

SURE = 0.9


def went_well(facts: Facts) -> str:
    parts = []
    opened, step = facts.first("incident_created"), wording.acknowledged_by(facts)
    if facts.ttd is not None and wording.by_alert(facts):
        if pace(facts.ttd, facts.typical_ttd) == "quick":
            parts.append(
                cited(
                    f"An alert found it {lasted(facts.ttd)} after the start"
                    f"{beside(facts.typical_ttd)}.",
                    [opened],
                )
            )
        else:
            parts.append(cited("It was found by an alert, not by users.", [opened]))
    if facts.mtta is not None and pace(facts.mtta, facts.typical_mtta) == "quick":
        took = f"It was taken up {lasted(facts.mtta)} after the start"
        parts.append(cited(f"{took}{beside(facts.typical_mtta)}.", [step]))
    named = facts.of("root_cause_identified")
    mitigated = facts.first("mitigation_applied")
    if named and (mitigated is None or named[0].at < mitigated.at):
        when = lasted(max(named[0].at - facts.started_at, 0.0))
        parts.append(cited(f"A likely cause was on the page {when} after the start.", [named[0]]))
    runbooks = [one for one in facts.services if one.runbook_url]
    if runbooks:
        links = ", ".join(f"[{escaped(one.slug)}](<{one.runbook_url}>)" for one in runbooks[:4])
        parts.append(cited_markdown(f"There was a runbook for {links}."))
    if facts.similar:
        known = ", ".join(f"[{ref}](/incidents/{ref})" for ref, _title in facts.similar[:3])
        parts.append(f"Earlier incidents that looked like it were on record: {known}.")
    if _resolving(facts) == "quick":
        end = facts.of("incident_resolved")[-1:]
        took = f"It was over after {lasted(facts.mttr or 0.0)}{beside(facts.typical_mttr)}."
        parts.append(cited(took, end))
    return bullets(parts, "Nothing on record stands out.")


def _resolving(facts: Facts) -> str:
    """How long it took beside what is typical; "" where that is not known."""
    if facts.mttr is None or facts.typical_mttr.seconds is None:
        return ""
    return pace(facts.mttr, facts.typical_mttr)


def went_wrong(facts: Facts) -> str:
    parts = []
    opened, step = facts.first("incident_created"), wording.acknowledged_by(facts)
    alert = facts.first("alert_firing", "heartbeat")
    if alert is None:
        parts.append(cited("No alert fired: it was found by other means.", [opened]))
    elif not wording.by_alert(facts):
        parts.append(cited("It was opened by hand although an alert fired.", [opened, alert]))
    if facts.ttd is not None and pace(facts.ttd, facts.typical_ttd) == "slow":
        said = f"It took {lasted(facts.ttd)} to notice it{beside(facts.typical_ttd)}."
        parts.append(cited(said, [opened]))
    if facts.mtta is None:
        parts.append(cited("Nobody acknowledged it.", facts.of("incident_resolved")[-1:]))
    elif pace(facts.mtta, facts.typical_mtta) == "slow":
        said = (
            f"It took {lasted(facts.mtta)} until somebody took it up{beside(facts.typical_mtta)}."
        )
        parts.append(cited(said, [step]))
    for event in facts.of("source_unavailable"):
        parts.append(cited(f"{event.title.rstrip('.')}.", [event]))
    for event in facts.of("correlation_failed", "notification_failed"):
        parts.append(cited(f"{event.title.rstrip('.')}.", [event]))
    for event in facts.of("reopened"):
        parts.append(cited("It was thought to be over and was not.", [event]))
    for event in facts.of("alert_flapping"):
        parts.append(cited(f"{event.title.rstrip('.')}.", [event]))
    rest = [one.slug for one in facts.services if not one.recovered]
    if rest:
        end = facts.of("incident_resolved")[-1:]
        parts.append(cited(f"It was resolved before {listed(rest)} had been seen to recover.", end))
    without = [one.slug for one in facts.services if not one.runbook_url]
    if without:
        parts.append(escaped(f"There is no runbook for {listed(without)}."))
    if _resolving(facts) == "slow":
        end = facts.of("incident_resolved")[-1:]
        said = f"It took {lasted(facts.mttr or 0.0)} to resolve{beside(facts.typical_mttr)}."
        parts.append(cited(said, end))
    return bullets(parts, "Nothing on record stands out.")


def were_lucky(facts: Facts) -> str:
    parts = []
    step, mitigated = wording.acknowledged_by(facts), facts.first("mitigation_applied")
    firing, ended = facts.of("alert_firing"), facts.of("alert_resolved")
    over = bool(firing) and len(ended) >= len(firing)
    if over and (step is None or ended[-1].at < step.at):
        parts.append(cited("Its alerts ended before anybody had taken it up.", [ended[-1], step]))
    elif over and mitigated is None:
        parts.append(cited("Its alerts ended though no mitigation is on record.", [ended[-1]]))
    if not firing and not wording.by_alert(facts):
        opened = facts.first("incident_created")
        who = opened.by if opened is not None and opened.by else "Somebody"
        parts.append(cited(f"{who} noticed it; no alert would have.", [opened]))
    return bullets(parts, "Nothing on record points to luck.")


def open_questions(facts: Facts) -> str:
    parts = []
    cause = facts.cause
    if cause is None or not cause.title or cause.inconclusive:
        parts.append("What was the cause? The analysis names none.")
    elif not cause.confirmed:
        sure = cause.confidence or 0.0
        said = f"Is {cause.title.rstrip('.')} the cause? Nobody has confirmed it"
        parts.append(
            cited(
                f"{said}{f'; the confidence is {percent(sure)}' if sure < SURE else ''}.",
                facts.of("root_cause_identified")[-1:],
            )
        )
    if cause is None or not cause.change:
        parts.append("What set it off? No change is on record that is to blame.")
    if cause is not None:
        parts += [escaped(f"What explains this: {text.rstrip('.')}?") for text in cause.against]
        parts += [escaped(f"Missing evidence: {text.rstrip('.')}.") for text in cause.missing]
    if not facts.impact:
        parts.append("What did it cost users? Nothing measured it.")
    if facts.first("alert_firing", "heartbeat") is None:
        parts.append("Which alert should have found it?")
    if facts.similar:
        known = ", ".join(f"[{ref}](/incidents/{ref})" for ref, _title in facts.similar[:3])
        parts.append(f"Is it {known} again, and what was left undone then?")
    return bullets(parts, "None on record.")
