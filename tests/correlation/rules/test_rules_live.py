"""The live engine under the users' rules."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from correlation import engine
from correlation.memory.replay import replay
from correlation.models import Analysis, CorrelationRule, RootCause
from tests.correlation.conftest import Backend
from tests.correlation.lab_backend import serve, shop_incident

pytestmark = pytest.mark.django_db

MINE: dict[str, Any] = {
    "kind": "gremlins", "title": "{service}: gremlins", "any": [{"feature": "restarts"}],
}  # fmt: skip


def test_an_analysis_uses_the_enabled_rules_and_says_what_it_left_out(
    backend: Backend, settings: Any, client: Client
) -> None:
    CorrelationRule.objects.create(name="mine", definition=MINE)
    CorrelationRule.objects.create(name="broken", definition={**MINE, "any": [{"log": "("}]})
    CorrelationRule.objects.create(name="off", definition=MINE, priority=1, enabled=False)
    incident = shop_incident("inventory", serve(backend, settings, "crash-loop"))

    engine.run_waiting()

    analysis = Analysis.objects.get(incident=incident)
    top = RootCause.objects.get(analysis=analysis, rank=1)
    assert (analysis.status, top.kind, top.rule) == ("done", "gremlins", "mine")
    assert [one["name"] for one in analysis.rules_skipped] == ["broken"]
    assert "Rule: mine (yours), because: its containers restart" in top.explanation.splitlines()
    CorrelationRule.objects.all().delete()
    assert replay(analysis).equal
    assert [line.split(":")[0] for line in replay(analysis).changed] == ["rules"]
    client.force_login(User.objects.create(username="v", email="v@example.com", role=Role.VIEWER))
    html = client.get(f"/incidents/{incident.reference}").content.decode()
    assert '<a href="/rules/broken">broken</a>: any.0.log: The pattern is no regular' in html
