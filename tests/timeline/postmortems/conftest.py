"""Resolved incidents whose postmortem has been drafted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import Role, User
from incidents import lifecycle
from incidents.models import Incident
from timeline.postmortems import drafts
from timeline.postmortems.models import Postmortem

MakeIncident = Callable[..., Incident]
MakeUser = Callable[..., User]
Drafted = Callable[..., Postmortem]


@pytest.fixture
def sam(db: None, make_user: MakeUser) -> User:
    return make_user("sam", Role.RESPONDER)


@pytest.fixture
def ana(db: None, make_user: MakeUser) -> User:
    return make_user("ana", Role.RESPONDER)


@pytest.fixture
def drafted(db: None, make_incident: MakeIncident) -> Drafted:
    def make(title: str = "Checkout errors", **more: object) -> Postmortem:
        incident = make_incident(title, **more)
        lifecycle.resolve(incident_id=incident.pk, actor=None)
        return drafts.draft_now(incident=Incident.objects.get(pk=incident.pk))

    return make


def text_of(postmortem: Postmortem, name: str) -> str:
    return postmortem.sections.get(name=name).shown
