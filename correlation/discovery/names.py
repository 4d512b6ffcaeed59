"""When two names mean one service, and what it should be called. Pure.

Sources write one service as `payment-service`, `payment_service`, `Payment-Service`,
`payment-service.prod`, `payment-service.prod.svc.cluster.local:8080` or `prod/payment-service`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

LONGEST = 100
_PORT = re.compile(r":\d{1,5}$")
_CLUSTER_NAME = re.compile(r"\.svc(\.[a-z0-9.-]+)?\.?$")
_DOMAIN = re.compile(r"^([a-z0-9_-]+\.)+[a-z]{2,}$")
_PRIVATE_DOMAINS = ("local", "internal", "localdomain", "cluster", "svc", "lan")
_LEADING_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://")


def short(name: str, namespaces: Collection[str] = ()) -> str:
    """The name without scheme, port, cluster domain and namespace: what the service is called."""
    text = _PORT.sub("", _LEADING_SCHEME.sub("", name.strip().lower())).rstrip("/")
    before, slash, after = text.rpartition("/")
    if slash and after:
        text = after if "/" not in before else text
    if found := _CLUSTER_NAME.search(text):
        text = text[: found.start()]
        return text.rpartition(".")[0] or text
    head, dot, last = text.rpartition(".")
    return head if dot and head and last in namespaces else text


def key(name: str, namespaces: Collection[str] = ()) -> str:
    """Equal for names that differ only in case, separators, port or namespace; "" for none."""
    return re.sub(r"[^a-z0-9]+", "-", short(name, namespaces)).strip("-")


def namespace_in(name: str, namespaces: Collection[str] = ()) -> str:
    """The namespace a name carries: `pay.prod.svc.cluster.local` -> "prod"; "" for none."""
    text = _PORT.sub("", _LEADING_SCHEME.sub("", name.strip().lower())).rstrip("/")
    if found := _CLUSTER_NAME.search(text):
        return text[: found.start()].rpartition(".")[2]
    before, slash, _ = text.rpartition("/")
    if slash and before in namespaces:
        return before
    last = text.rpartition(".")[2]
    return last if last != text and last in namespaces else ""


def slug(name: str, namespaces: Collection[str] = ()) -> str:
    """A slug of the catalogue for the name: letters, digits, dots, dashes, underscores; or ""."""
    text = re.sub(r"[^a-z0-9._-]+", "-", short(name, namespaces))
    return text.strip("._-")[:LONGEST].strip("._-")


def title(text: str) -> str:
    """ "payment-service" -> "Payment service"."""
    words = re.sub(r"[-_.]+", " ", text).strip()
    return words[:1].upper() + words[1:]


def is_address(name: str) -> bool:
    """Whether it is an IP address (with or without a port) or this machine: nobody's name."""
    text = _LEADING_SCHEME.sub("", name.strip().lower()).rstrip("/")
    for candidate in (text, _PORT.sub("", text), _PORT.sub("", text).strip("[]")):
        try:
            ipaddress.ip_address(candidate.strip("[]"))
        except ValueError:
            continue
        return True
    return _PORT.sub("", text) in ("localhost", "unknown", "", "-")


def is_public_domain(name: str, namespaces: Collection[str] = ()) -> bool:
    """Whether it is a domain name outside the cluster, such as api.example.com."""
    text = _PORT.sub("", _LEADING_SCHEME.sub("", name.strip().lower())).rstrip("/.")
    if _CLUSTER_NAME.search(text) or not _DOMAIN.match(text):
        return False
    last = text.rpartition(".")[2]
    return last not in namespaces and last not in _PRIVATE_DOMAINS


def alike(wanted: str, among: Collection[str]) -> tuple[str, ...]:
    """The names of `among` that look like `wanted`, likeliest first."""
    goal = key(wanted)
    words = set(goal.split("-")) - {"service", "svc", "app", "api", "server"}
    scored = []
    for name in among:
        other = key(name)
        common = len(words & set(other.split("-")))
        score = 3 if other == goal else 2 if _prefixed(goal, other) else 1 if common else 0
        if score:
            scored.append((-score, -common, name))
    return tuple(name for _, _, name in sorted(scored))


def _prefixed(one: str, other: str) -> bool:
    short_one, long_one = sorted((one, other), key=len)
    return bool(short_one) and long_one.startswith(short_one + "-")
