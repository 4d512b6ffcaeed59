"""Deeds at reports, postmortems, messages, deliveries, the lab, and one's own account."""

from __future__ import annotations

import json
from typing import Any

from accounts import tokens
from accounts.models import ApiToken, Role, Scope, User
from incidents import lifecycle
from incidents.intake import alerts
from incidents.intake.alertmanager import parse
from incidents.models import (
    Delivery,
    Incident,
    NotificationChannel,
    NotificationDelivery,
    NotificationRule,
    NotificationState,
)
from tests.access.deeds.deed import Deed, Parts
from tests.access.deeds.of_incidents import kim, opened, parts_of, resolved, service
from timeline.postmortems import drafts, editing, review
from timeline.postmortems.models import Postmortem
from timeline.reporting.models import IncidentReport

PAGE, API = "/incidents/{reference}/postmortem", "/api/incidents/{reference}/postmortem"
PASSWORD = "a long enough pass phrase"


def reported() -> Parts:
    found = resolved()
    IncidentReport.objects.update(state=IncidentReport.State.DONE)
    return found


def drafted() -> Postmortem:
    made = lifecycle.resolve(incident_id=opened().pk, actor=None)
    return drafts.draft_now(incident=Incident.objects.get(pk=made.pk))


def parts(postmortem: Postmortem, **more: Any) -> Parts:
    return parts_of(postmortem.incident, **more)


def draft() -> Parts:
    return parts(drafted())


def in_review() -> Parts:
    made = drafted()
    review.request_review(postmortem_id=made.pk, actor=kim())
    return parts(made)


def approved() -> Parts:
    made = drafted()
    review.request_review(postmortem_id=made.pk, actor=kim())
    other = User.objects.create(username="lee", email="lee@example.com", role=Role.RESPONDER)
    review.approve(postmortem_id=made.pk, actor=other, comment="Fine")
    return parts(made)


def published() -> Parts:
    found = approved()
    made = Postmortem.objects.get(incident=found["incident_id"])
    review.publish(postmortem_id=made.pk, actor=None)
    return found


def with_action(*, dropped: bool = False) -> Parts:
    made = drafted()
    action = editing.add_action(postmortem_id=made.pk, title="Alert on it", actor=None)
    if dropped:
        editing.drop_action(postmortem_id=made.pk, action_id=action.pk, dropped=True)
    return parts(made, action=str(action.pk), action_id=action.pk, act="task")


def with_newer_draft() -> Parts:
    made = drafted()
    words = [editing.Words("summary", "Our words", 1)]
    (section,) = editing.write(postmortem_id=made.pk, words=words, actor=None)
    section.drafted = "A newer draft"
    section.save(update_fields=["drafted"])
    return parts(made, version=section.version)


def given_up() -> Parts:
    channel = NotificationChannel.objects.create(
        name="mail", kind="email", recipients=["oncall@example.com"]
    )
    rule = NotificationRule.objects.create(name="all", events=["opened"])
    rule.channels.set([channel])
    opened()
    NotificationDelivery.objects.update(state=NotificationState.GIVEN_UP)
    return {"key": NotificationDelivery.objects.get().key}


def delivered() -> Parts:
    alert = {"status": "firing", "labels": {"alertname": "Errors"}, "fingerprint": "1",
             "annotations": {}, "startsAt": "2026-11-22T00:05:00Z"}  # fmt: skip
    body = {"receiver": "studio", "alerts": [alert]}
    source = alerts.source_of("alertmanager", "alertmanager")
    made = alerts.store(source, json.dumps(body), parse(body).alerts)
    Delivery.objects.update(state=Delivery.State.DONE)
    return {"delivery_id": made.pk, "pk": made.pk}


def signed_up() -> Parts:
    made = kim()
    made.set_password(PASSWORD)
    made.save()
    return {}


def with_password() -> Parts:
    ada = User.objects.get(username="ada")
    ada.set_password(PASSWORD)
    ada.save()
    return {}


def signed_in() -> Parts:
    return {"refresh": tokens.issue(kim()).refresh_token}


def own_token() -> Parts:
    person = User.objects.get(username="ada")
    token, _plain = ApiToken.issue(name="mine", scopes=[Scope.READ], owner=person)
    return {"pk": token.pk}


def with_service() -> Parts:
    return {"slug": service().slug}


SIGN_IN = {"username": "kim", "password": PASSWORD}
DEEDS = (
    Deed("POST", "/incidents/{reference}/report/write", "report.requested", reported),
    Deed("POST", "/api/incidents/{reference}/reports", "report.requested", reported),
    Deed("POST", f"{PAGE}/redraft", "postmortem.created", resolved),
    Deed("POST", f"{PAGE}/revise", "postmortem.created", published),
    Deed("POST", f"{PAGE}/request-review", "postmortem.changed", draft),
    Deed("POST", f"{PAGE}/approve", "postmortem.changed", in_review, {"comment": "Fine"}),
    Deed("POST", f"{PAGE}/send-back", "postmortem.changed", in_review, {"comment": "More"}),
    Deed("POST", f"{PAGE}/publish", "postmortem.changed", approved),
    Deed("POST", f"{PAGE}/add-action", "postmortem_action.created", draft, {"title": "Alert"}),
    Deed("POST", f"{PAGE}/task", "postmortem_action.changed", with_action, {"action": "$action"}),
    Deed("POST", f"{PAGE}/drop", "postmortem_action.changed", with_action, {"action": "$action"}),
    Deed("POST", f"{PAGE}/restore", "postmortem_action.changed",
         lambda: with_action(dropped=True), {"action": "$action"}),
    Deed("POST", f"{PAGE}/take-draft", "postmortem_section.changed", with_newer_draft,
         {"section": "summary", "version": "$version"}),
    Deed("POST", f"{PAGE}/keep-words", "postmortem_section.kept", with_newer_draft,
         {"section": "summary"}),
    Deed("POST", API, "postmortem.created", resolved),
    Deed("PUT", API, "postmortem_section.changed", draft,
         {"sections": {"summary": {"text": "Ours", "version": 1}}}),
    Deed("POST", f"{API}/actions", "postmortem_action.created", draft, {"title": "Alert"}),
    Deed("POST", f"{API}/actions/{{action_id}}/{{act}}", "postmortem_action.changed", with_action),
    Deed("POST", f"{API}/{{step}}", "postmortem.changed",
         lambda: {**draft(), "step": "request-review"}),
    Deed("POST", "/notifications/sent/{key}/retry", "notification_delivery.retried", given_up),
    Deed("POST", "/api/notification-deliveries/{key}/retry", "notification_delivery.retried",
         given_up),
    Deed("POST", "/alerts/deliveries/{delivery_id}/replay", "delivery.replayed", delivered),
    Deed("POST", "/api/deliveries/{pk}/replay", "delivery.replayed", delivered),
    Deed("POST", "/login", "login.started", signed_up,
         {"identifier": "kim", "password": PASSWORD}, "kim"),
    Deed("POST", "/logout", "login.ended"),
    Deed("POST", "/api/auth/login", "login.started", signed_up, SIGN_IN, "kim"),
    Deed("POST", "/api/auth/logout", "login.ended", signed_in, {"refresh_token": "$refresh"},
         "kim"),
    Deed("POST", "/register", "user.created", given={
         "username": "new", "email": "new@example.com", "password1": PASSWORD,
         "password2": PASSWORD}, by="nobody"),
    Deed("POST", "/api/auth/register", "user.created", given={
         "username": "new", "email": "new@example.com", "password": PASSWORD}, by="nobody"),
    Deed("POST", "/profile/password", "user.changed", with_password, {
         "old_password": PASSWORD, "new_password1": f"{PASSWORD} 2",
         "new_password2": f"{PASSWORD} 2"}),
    Deed("POST", "/profile/time-zone", "user.changed", given={"time_zone": "Europe/Berlin"}),
    Deed("POST", "/profile/tokens", "api_token.created", given={"name": "x", "scopes": ["read"]}),
    Deed("POST", "/profile/tokens/{pk}/revoke", "api_token.revoked", own_token),
    Deed("POST", "/api/tokens", "api_token.created", given={"name": "x", "scopes": ["read"]}),
    Deed("DELETE", "/api/tokens/{pk}", "api_token.revoked", own_token),
    Deed("POST", "/lab/faults/{fault_id}/start", "lab.fault_started", lambda: {"fault_id": "oom"}),
    Deed("POST", "/lab/faults/{fault_id}/stop", "lab.fault_stopped", lambda: {"fault_id": "oom"}),
    Deed("POST", "/lab/stop", "lab.faults_stopped"),
    Deed("POST", "/lab/fail", "lab.failure_started", with_service,
         {"service": "checkout", "error_rate": "0.4"}),
    Deed("POST", "/api/test/fail", "lab.failure_started", with_service,
         {"service": "checkout", "error_rate": 0.4}),
)  # fmt: skip
