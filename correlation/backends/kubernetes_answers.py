"""What a Kubernetes API server answered, read strictly: objects, pages of lists, refusals.

Raises BackendError that names the cluster.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from incidents.outbound.errors import BackendError, status_error
from incidents.outbound.http import Answer

Object = dict[str, Any]
Objects = list[Object]

_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)"'
    r' in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)"| at the cluster scope)'
)


@dataclass(frozen=True)
class Listing:
    """The objects of a list, without `managedFields`; `truncated` says in words what is not."""

    items: tuple[Object, ...]
    requests: int
    truncated: str = ""


@dataclass(frozen=True)
class Permission:
    """Whether these credentials may do something, and the server's reason if it gave one."""

    allowed: bool
    reason: str = ""


def read_object(name: str, answer: Answer) -> Object:
    """The object of a 2xx answer. Raises for any other with the server's own message."""
    if answer.status >= 300:
        raise _refusal(name, answer)
    if not answer.body.strip():
        bad_body(name, "answered nothing (an empty body)")
    if answer.is_html:
        bad_body(name, "answered HTML, not JSON")
    try:
        body = json.loads(answer.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        bad_body(name, "answered something that is not JSON")
    if not isinstance(body, dict):
        bad_body(name, "answered JSON that is not an object")
    return body


def items_of(name: str, body: Object) -> Objects:
    """The objects of one page of a list."""
    items = body.get("items", "")
    named = str(body.get("kind") or "List").endswith("List")
    if not named or not isinstance(items, list | type(None)):
        bad_body(name, "answered JSON that is not a Kubernetes list")
    for item in items or ():
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
            bad_body(name, "answered a list with an item that is no Kubernetes object")
        metadata.pop("managedFields", None)  # often most of an object, and never read
    return items or []


def next_page(name: str, body: Object) -> str:
    """The token of the page that follows; empty after the last one."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        bad_body(name, "answered a list without metadata")
    return str(metadata.get("continue") or "")


def bad_body(name: str, why: str) -> NoReturn:
    raise BackendError("bad_body", why, source=name)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refusal(name: str, answer: Answer) -> BackendError:
    """The error for an answer of 300 and above, from its Status object or plain text."""
    said = "" if answer.is_html else answer.body[:4096].decode("utf-8", "replace").strip()
    with suppress(ValueError, RecursionError):
        body = json.loads(answer.body)
        said = str(body.get("message") or "") if isinstance(body, dict) else ""
    error = status_error(name, answer.status, said)
    found = _FORBIDDEN.search(said) if answer.status == 403 else None
    if not found:
        return error
    where = f"in namespace {found['namespace']}" if found["namespace"] else "in the whole cluster"
    resource = found["resource"] + (f".{found['group']}" if found["group"] else "")
    detail = f"forbidden: {found['user']} may not {found['verb']} {resource} {where}"
    if found["user"] == "system:anonymous":
        detail += " (no credentials were sent: check the kubeconfig's user and its plugin)"
    return BackendError("http", detail, source=name, status=403)
