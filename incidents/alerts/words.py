"""What an alert says and where it leads, for its pages; no I/O.

Senders write what they like into annotations: whatever is a web address, under any name, becomes a
link, and everything else a text that is escaped where it is shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from incidents.intake.received import LONGEST_ADDRESS
from incidents.outbound.fields import link_errors

KNOWN = {
    "runbook": "Runbook",
    "dashboard": "Dashboard",
    "panel": "Panel",
    "generator": "Source",
    "client": "Source",
    "image": "Image",
    "images": "Image",
    "silence": "Silence",
}
"""What the usual links are called, in the order they are shown; all others come after them."""
SUMMARIES = ("summary", "title", "message", "description")
# Panels are sent to every open page whenever one of them changes: what a sender may write at any
# length is cut here. The API has it whole.
LONGEST_SUMMARY = 300
LONGEST_TEXT = 1000
LONGEST_WORDS = 40
MOST_TEXTS = 20
MOST_LINKS = 12
SHORT_LABEL = 60
"""Characters of a label's value that a list of alerts shows."""
_ORDER = list(dict.fromkeys(KNOWN.values()))
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_BETWEEN = re.compile(r"[-_\s]+")
_ENDING = re.compile(r"(?<=.)(?:[-_. ](?i:url|uri|link|href)|(?<=[a-z])(?:URL|Url|URI|Uri|Link))$")


@dataclass(frozen=True)
class Link:
    """What it is called and where it leads; `href` is http or https."""

    words: str
    href: str


@dataclass(frozen=True)
class AlertWords:
    """`labels` and `texts` are (name, value); `left_out` counts what was too much."""

    summary: str
    links: tuple[Link, ...]
    labels: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, str], ...]
    left_out: int

    @property
    def long_labels(self) -> tuple[tuple[str, str], ...]:
        """Those that a list cuts."""
        return tuple((name, value) for name, value in self.labels if len(value) > SHORT_LABEL)


def words_of(
    name: str, labels: Mapping[str, str], annotations: Mapping[str, str], generator_url: str
) -> AlertWords:
    """Of the alert `name`. A summary that only repeats the name is left out."""
    told = {key: value for key, given in annotations.items() if (value := str(given).strip())}
    addresses, texts = _parted({**told, "generator_url": generator_url.strip()})
    source = next((key for key in SUMMARIES if key in texts), "")
    summary = texts.get(source, "")
    if len(summary) <= LONGEST_SUMMARY:
        texts.pop(source, None)
    links = _named(addresses)
    return AlertWords(
        summary="" if summary == name else _cut(summary, LONGEST_SUMMARY),
        links=tuple(links[:MOST_LINKS]),
        labels=tuple((key, value) for key, value in labels.items() if key != "alertname"),
        texts=tuple((key, _cut(value, LONGEST_TEXT)) for key, value in texts.items())[:MOST_TEXTS],
        left_out=max(0, len(texts) - MOST_TEXTS) + max(0, len(links) - MOST_LINKS),
    )


def _parted(told: Mapping[str, str]) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """(name, address) of the annotations that hold addresses alone, one a line; all others."""
    addresses: list[tuple[str, str]] = []
    texts: dict[str, str] = {}
    for key, value in told.items():
        lines = [line.strip() for line in value.splitlines() if line.strip()]
        if lines and all(_leads_somewhere(line) for line in lines):
            addresses += [(key, line) for line in lines]
        elif value:
            texts[key] = value
    return addresses, texts


def _leads_somewhere(line: str) -> bool:
    """An address as long as intake keeps them may have lost its end."""
    return len(line) < LONGEST_ADDRESS and not link_errors(line)


def _named(addresses: Iterable[tuple[str, str]]) -> list[Link]:
    """One link for each address, the known ones first; a second of one name has a number."""
    called = [(_words(key, href), href) for key, href in addresses]
    called.sort(key=lambda one: _ORDER.index(one[0]) if one[0] in _ORDER else len(_ORDER))
    links: dict[str, Link] = {}
    times: Counter[str] = Counter()
    for words, href in called:
        if href not in links:
            times[words] += 1
            number = f" {times[words]}" if times[words] > 1 else ""
            links[href] = Link(f"{words}{number}", href)
    return list(links.values())


def _words(key: str, href: str) -> str:
    plain = _NOT_IN_NAMES.sub("", key.lower())
    if known := KNOWN.get(plain.removesuffix("url")):
        return known
    said = _BETWEEN.sub(" ", _ENDING.sub("", key)).strip()
    if plain in ("", "url", "link", "links"):
        return (urlsplit(href).hostname or "Link")[:LONGEST_WORDS]
    return said[:1].upper() + said[1:LONGEST_WORDS]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
