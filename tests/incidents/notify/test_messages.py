"""What is said to each kind of channel."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from incidents.notify.messages import cloudevents, pagerduty, slack
from incidents.notify.messages.mail import mail
from incidents.notify.messages.message import Message, Told, headline

KEY = "0b54ea3c-6ba5-5bb8-9c60-8a5e2ff5c1f8"


def facts(event: str = "opened", **columns: Any) -> dict[str, Any]:
    return {
        "event": event,
        "reference": "INC-12",
        "number": 12,
        "incident": "7d7e5c4e-0a7b-4ad4-8f10-5a8f6a0e3c55",
        "title": "Checkout <fails> & burns",
        "severity": "critical",
        "status": "open",
        "environment": "production",
        "services": ["checkout", "cart"],
        "started_at": "2026-11-22T12:00:00.000Z",
        "at": "2026-11-22T12:01:02.500Z",
        "actor": "",
        "reason": "",
        "details": {},
        "cause": "",
        "cause_confidence": None,
        "closed_as": "",
        "mttr_seconds": None,
        "path": "/incidents/INC-12",
        **columns,
    }


def message(*several: dict[str, Any]) -> Message:
    told = [Told(KEY if not n else f"key-{n}", f) for n, f in enumerate(several or [facts()])]
    return Message(key=KEY, changes=tuple(told), site="https://studio.example.com", thread="t.1")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (facts(), "INC-12 opened: Checkout <fails> & burns"),
        (
            facts("acknowledged", actor="sam"),
            "INC-12 acknowledged by sam: Checkout <fails> & burns",
        ),
        (
            facts("relapsed", actor="sam"),
            "INC-12 is investigated again by sam, the mitigation did not hold: "
            "Checkout <fails> & burns",
        ),
        (
            facts("resolved", closed_as="false_positive"),
            "INC-12 closed as false positive: Checkout <fails> & burns",
        ),
        (
            facts("severity_changed", details={"from": "high", "to": "critical"}),
            "INC-12 severity high → critical: Checkout <fails> & burns",
        ),
        (
            facts("root_cause_identified", details={"cause": "Bad deploy", "confidence": 0.823}),
            "INC-12 root cause: Bad deploy (82%): Checkout <fails> & burns",
        ),
        (
            facts("merged", details={"into": "INC-4", "into_title": "All fails"}),
            "INC-12 merged into INC-4: Checkout <fails> & burns",
        ),
        (
            facts("role_assigned", details={"role": "commander", "person": "sam"}),
            "INC-12 commander is sam: Checkout <fails> & burns",
        ),
        (
            facts("heartbeat_stopped", details={"series": "cluster=eu-1"}),
            "INC-12 heartbeat stopped: cluster=eu-1",
        ),
        (
            facts("postmortem_published", actor="sam"),
            "INC-12 postmortem published by sam: Checkout <fails> & burns",
        ),
    ],
)
def test_headline_says_what_happened(given: dict[str, Any], words: str) -> None:
    assert headline(given) == words


def test_slack_gets_text_and_blocks_in_which_nothing_is_a_link_or_a_mention() -> None:
    body = slack.body(message(facts(reason="<!channel> look")))

    assert body["text"] == "INC-12 opened: Checkout &lt;fails&gt; &amp; burns"
    assert [block["type"] for block in body["blocks"]] == ["header", "section", "actions"]
    assert body["blocks"][0]["text"]["text"] == "🔴 INC-12 opened: Checkout <fails> & burns"
    fields = [field["text"] for field in body["blocks"][1]["fields"]]
    assert "*Reason*\n&lt;!channel&gt; look" in fields
    assert body["blocks"][2]["elements"][0]["url"] == "https://studio.example.com/incidents/INC-12"


def test_slack_blocks_stay_within_their_limits() -> None:
    long = facts(title="x" * 300, reason="r" * 2000, details={"description": "d" * 5000})

    for body in (slack.body(message(long)), slack.body(message(*[long] * 300))):
        assert len(body["blocks"]) <= 50
        assert len(body["blocks"][0]["text"]["text"]) <= 150
        texts = [block["text"]["text"] for block in body["blocks"][1:] if "text" in block]
        assert max(map(len, texts)) <= 3000


def test_cloudevent_is_structured_json_with_the_key_as_its_id() -> None:
    body = cloudevents.body(message())

    assert {name: body[name] for name in body if name != "data"} == {
        "specversion": "1.0",
        "id": KEY,
        "source": "https://studio.example.com/incidents",
        "type": "com.reliability-studio.incident.opened",
        "subject": "INC-12",
        "time": "2026-11-22T12:01:02.500Z",
        "datacontenttype": "application/json",
    }
    assert body["data"]["url"] == "https://studio.example.com/incidents/INC-12"
    assert body["data"]["summary"] == "INC-12 opened: Checkout <fails> & burns"


def test_digest_names_every_change_with_its_own_key() -> None:
    body = cloudevents.body(message(facts(), facts("resolved", reference="INC-12")))

    assert body["type"] == "com.reliability-studio.incident.digest"
    assert body["data"]["summary"] == "2 changes of 1 incident"
    assert [(c["id"], c["event"]) for c in body["data"]["changes"]] == [
        (KEY, "opened"),
        ("key-1", "resolved"),
    ]


def test_signature_is_the_documented_hmac_of_timestamp_and_body() -> None:
    content = json.dumps(cloudevents.body(message())).encode()

    signed = cloudevents.signature("s3cr3t", 1763812862, content)

    expected = hmac.new(b"s3cr3t", b"1763812862." + content, hashlib.sha256).hexdigest()
    assert signed == f"v1={expected}"


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("opened", "trigger"),
        ("reopened", "trigger"),
        ("severity_changed", "trigger"),
        ("acknowledged", "acknowledge"),
        ("resolved", "resolve"),
        ("merged", "resolve"),
    ],
)
def test_pagerduty_keeps_one_alert_an_incident(event: str, action: str) -> None:
    details = {"from": "high", "to": "critical", "into": "INC-4"}

    body = pagerduty.body(message(facts(event, details=details)), "R0UT1NG")

    assert (body["event_action"], body["routing_key"]) == (action, "R0UT1NG")
    assert body["dedup_key"] == "reliability-studio/7d7e5c4e-0a7b-4ad4-8f10-5a8f6a0e3c55"
    assert body["payload"]["severity"] == "critical"
    assert body["payload"]["source"] == "checkout, cart"


def test_mail_of_an_incident_is_one_thread() -> None:
    first = mail(message(), "studio@example.com", ["oncall@example.com"])
    later = Message(
        key="later",
        changes=(Told("later", facts("resolved")),),
        site="https://studio.example.com",
        thread="t.1",
        opens_thread=False,
        subject="INC-12: Checkout\nfails",
    )

    second = mail(later, "studio@example.com", ["oncall@example.com"])

    assert first.extra_headers["Message-ID"] == "<t.1@studio.example.com>"
    assert second.extra_headers["Message-ID"] == "<later@studio.example.com>"
    assert second.extra_headers["References"] == "<t.1@studio.example.com>"
    assert second.extra_headers["In-Reply-To"] == "<t.1@studio.example.com>"
    assert second.subject == "INC-12: Checkout fails"


def test_mail_is_text_and_html_that_hides_nothing() -> None:
    made = mail(message(facts(reason="Said <b>so</b>.")), "studio@example.com", ["a@example.com"])
    html, kind = made.alternatives[0]

    assert kind == "text/html"
    assert "INC-12 opened: Checkout <fails> & burns" in made.body
    assert "Reason: Said <b>so</b>." in made.body
    assert "Said &lt;b&gt;so&lt;/b&gt;." in html
    assert "https://studio.example.com/incidents/INC-12" in html
