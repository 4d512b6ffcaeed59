"""Fifty people act on one incident at once: nothing is lost, and nothing impossible happens."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import Role
from incidents import lifecycle
from incidents.models import FieldChange, Incident, IncidentRole, StatusChange
from tests.incidents.conftest import MakeIncident, make_person
from tests.incidents.threads import in_threads

PEOPLE = 50
PATIENCE = 100
TRIES = 3
PATH = "/api/incidents/INC-1"
EDITS = {200, 201}
BUSY = 503


class Person:
    """One person's requests, and the edits that went through."""

    def __init__(self, username: str) -> None:
        self.user = make_person(username, Role.RESPONDER)
        self.edits: Counter[str] = Counter()
        self.answers: Counter[int] = Counter()

    def sit_down(self) -> None:
        """In the thread that will work. Django's client would raise what another thread's did."""
        self.api = APIClient(raise_request_exception=False)
        self.api.force_authenticate(self.user)

    def do(self, act: str, method: str, path: str, body: Any, etag: str = "*") -> Any:
        """One request; again where the database was busy for too long, which changes nothing."""
        send = getattr(self.api, method)
        for again in range(PATIENCE):
            answer = send(path, body, format="json", headers={"If-Match": etag})
            connection.close()  # as a server does after each request
            if answer.status_code != BUSY:
                break
            time.sleep(0.01 * again)
        self.answers[answer.status_code] += 1
        if answer.status_code in EDITS:
            self.edits[act] += 1
        return answer


def run(person: Person, number: int) -> None:
    person.sit_down()
    name = person.user.username
    person.do("status", "post", f"{PATH}/{'acknowledge' if number % 2 else 'mitigate'}", {})
    for _again in range(TRIES):  # all may have been overtaken by others: then nothing was written
        seen = person.do("read", "get", PATH, {})
        answer = person.do("title", "patch", PATH, {"title": f"By {name}"}, etag=seen["ETag"])
        if answer.status_code in EDITS:
            break
    person.do("role", "post", f"{PATH}/roles", {"user": name, "role": "commander"})
    person.do("task", "post", f"{PATH}/tasks", {"title": f"Of {name}", "owner": name})
    if number % 10 == 0:
        person.do("status", "post", f"{PATH}/resolve", {"resolution": f"By {name}"})
        person.do("status", "post", f"{PATH}/reopen", {"reason": f"By {name}"})


@pytest.mark.django_db(transaction=True)
def test_fifty_people_at_once_lose_nothing(make_incident: MakeIncident) -> None:
    incident = make_incident()
    people = [Person(f"person{number}") for number in range(PEOPLE)]

    in_threads(lambda number: run(people[number], number), PEOPLE)

    edits = sum((person.edits for person in people), Counter[str]())
    answers = sum((person.answers for person in people), Counter[int]())
    after = Incident.objects.get(pk=incident.pk)
    assert set(answers) <= {200, 201, 409, 412}
    assert edits["status"] == StatusChange.objects.exclude(from_status="").count()
    assert edits["title"] == FieldChange.objects.filter(field="title").count()
    assert edits["role"] == IncidentRole.objects.count()
    assert edits["task"] == after.tasks.count() == PEOPLE
    assert after.version == 1 + edits["status"] + edits["title"] + edits["role"]
    assert IncidentRole.objects.filter(role="commander", ended_at=None).count() == 1
    check_titles(after)
    check_steps(after)


def check_titles(incident: Incident) -> None:
    """Each title replaced the one that was written before it: none was overwritten unseen."""
    events = incident.timeline.filter(kind="edited", data__field="title").order_by("seq")
    titles = ["Checkout fails", *(event.data["new"] for event in events)]
    assert [event.data["old"] for event in events] == titles[:-1]
    assert incident.title == titles[-1]


def check_steps(incident: Incident) -> None:
    """Each step began where the one before ended, and was one that is allowed."""
    kinds = ("status_changed", "mitigation_applied")
    events = incident.timeline.filter(kind__in=kinds).order_by("seq")
    steps = [(event.data["from"], event.data["to"]) for event in events]
    status = "open"
    for before, to in steps:
        reopened = (before, to) == ("resolved", "investigating")
        assert before == status
        assert reopened or to in lifecycle.ALLOWED[before]
        status = to
    assert (incident.status, incident.resolved_at is None) == (status, status != "resolved")
