"""What is made of an alert's annotations."""

from __future__ import annotations

import pytest

from incidents.alerts import words
from incidents.alerts.words import AlertWords, words_of

GRAPH = "https://prometheus.example.com/graph?g0.expr=up"


def told(annotations: dict[str, str] | None = None, generator_url: str = "") -> AlertWords:
    return words_of("HighErrorRate", {"alertname": "A"}, annotations or {}, generator_url)


def links(annotations: dict[str, str], generator_url: str = "") -> list[tuple[str, str]]:
    return [(link.words, link.href) for link in told(annotations, generator_url).links]


def test_usual_links_have_their_names_and_come_first() -> None:
    annotations = {
        "silence_url": "https://grafana/s",
        "status_page": "https://status.example.com",
        "image_url": "https://grafana/i.png",
        "panelURL": "https://grafana/p",
        "dashboard": "http://grafana:3000/d",
        "runbook_url": "https://wiki/run",
    }

    found = links(annotations, GRAPH)

    assert found == [
        ("Runbook", "https://wiki/run"),
        ("Dashboard", "http://grafana:3000/d"),
        ("Panel", "https://grafana/p"),
        ("Source", GRAPH),
        ("Image", "https://grafana/i.png"),
        ("Silence", "https://grafana/s"),
        ("Status page", "https://status.example.com"),
    ]


def test_addresses_one_a_line_are_links_named_by_host_and_number() -> None:
    annotations = {
        "links": "https://wiki/a\n\nhttps://wiki/b\nhttps://wiki/a",
        "images": "https://i/1\nhttps://i/2",
    }

    found = links(annotations)

    assert found == [
        ("Image", "https://i/1"),
        ("Image 2", "https://i/2"),
        ("wiki", "https://wiki/a"),
        ("wiki 2", "https://wiki/b"),
    ]


def test_one_address_under_two_names_is_one_link() -> None:
    assert links({"client_url": GRAPH, "runbook_url": GRAPH}, GRAPH) == [("Runbook", GRAPH)]


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)//https://wiki",
        "data:text/html,<script>alert(1)</script>",
        "//wiki/run",
        "/wiki/run",
        "https://",
        "https://wiki/a b",
        "https://[wiki",
        "see https://wiki/run",
        "https://wiki/run\njavascript:alert(1)",
        f"https://wiki/{'a' * 2000}",
    ],
)
def test_what_is_no_web_address_is_a_text(address: str) -> None:
    said = told({"runbook_url": address})

    assert said.links == ()
    assert [name for name, _ in said.texts] == ["runbook_url"]


@pytest.mark.parametrize(
    ("annotations", "summary", "texts"),
    [
        ({"summary": "High", "description": "Very"}, "High", [("description", "Very")]),
        ({"summary": " ", "description": "Very"}, "Very", []),
        ({"title": "T", "message": "M"}, "T", [("message", "M")]),
        ({"summary": "HighErrorRate"}, "", []),
        ({"summary": "https://wiki"}, "", []),
        ({}, "", []),
    ],
)
def test_summary_is_the_first_text_that_says_something(
    annotations: dict[str, str], summary: str, texts: list[tuple[str, str]]
) -> None:
    said = told(annotations)

    assert (said.summary, list(said.texts)) == (summary, texts)


def test_a_cut_summary_stands_whole_among_the_texts() -> None:
    said = told({"summary": "a" * 301})

    assert said.summary == "a" * 299 + "…"
    assert said.texts == (("summary", "a" * 301),)


def test_what_is_too_long_or_too_much_is_cut_and_counted() -> None:
    annotations = {f"text{n}": "b" * 1001 for n in range(words.MOST_TEXTS + 2)}
    annotations |= {f"link{n}": f"https://wiki/{n}" for n in range(words.MOST_LINKS + 3)}

    said = told(annotations)

    assert (len(said.texts), len(said.links), said.left_out) == (20, 12, 5)
    assert said.texts[0] == ("text0", "b" * 999 + "…")


def test_labels_but_the_name_are_kept_whole() -> None:
    said = words_of("A", {"alertname": "A", "pod": "p" * 61, "zone": "z" * 60}, {}, "")

    assert said.labels == (("pod", "p" * 61), ("zone", "z" * 60))
    assert said.long_labels == (("pod", "p" * 61),)
