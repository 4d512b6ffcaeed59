"""How two pod templates differ, in words, as a kind of change and as a diff. Pure."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterator
from typing import Any

import yaml

from correlation.cluster.objects import Object, part, rows

MAX_DIFF = 8000
"""Characters of a diff that are kept."""

_HASHES = ("pod-template-hash", "controller-revision-hash")
_SECRET = re.compile(r"pass|secret|token|credential|api_?key|private|auth|dsn", re.IGNORECASE)
_USERINFO = re.compile(r"//[^/\s@]+@")


def kind_of_change(old: Object, new: Object) -> str:
    """ "config" when the images are the same and something else is not, else "deploy"."""
    return "config" if images(old) == images(new) and _plain(old) != _plain(new) else "deploy"


def images(template: Object) -> dict[str, str]:
    """The image of each container, by its name."""
    return {str(one.get("name")): str(one.get("image") or "") for one in _containers(template)}


def summary(old: Object, new: Object) -> str:
    """The change in a few words: `v1 -> v2`, or the names of what was configured."""
    before, after = images(old), images(new)
    changed = [name for name in after if before.get(name) not in (None, after[name])]
    if changed:
        first = changed[0]
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        return _versions(before[first], after[first]) + more
    if before != after:
        return "containers changed: " + ", ".join(sorted(set(before) ^ set(after)))
    fields = _changed_fields(old, new)
    if not fields:
        return "restarted"
    return "configuration changed: " + ", ".join(fields[:4]) + (" ..." if len(fields) > 4 else "")


def differences(old: Object, new: Object, old_name: str, new_name: str) -> str:
    """A unified diff of the two templates as YAML; values that look secret are hidden."""
    before, after = _plain(old), _plain(new)
    _hide(before, after)
    lines = difflib.unified_diff(
        _lines(before), _lines(after), old_name, new_name, n=2, lineterm=""
    )
    diff = _USERINFO.sub("//", "\n".join(lines))
    return diff if len(diff) <= MAX_DIFF else diff[: MAX_DIFF - 2] + "\n…"


def _lines(template: Object) -> list[str]:
    dumped = yaml.safe_dump(template, sort_keys=True, allow_unicode=True, width=200)
    return str(dumped).splitlines()


def _containers(template: Object) -> list[Object]:
    return rows(template, "spec", "initContainers") + rows(template, "spec", "containers")


def _plain(template: Object) -> Object:
    """The template without what differs between any two ReplicaSets."""
    found = copy.deepcopy(template)
    for key in _HASHES:
        part(found, "metadata", "labels").pop(key, None)
    part(found, "metadata").pop("creationTimestamp", None)
    return found


def _versions(old: str, new: str) -> str:
    """Tags when only they differ, else whole images."""
    (old_name, old_tag), (new_name, new_tag) = _split(old), _split(new)
    if old_name == new_name and old_tag and new_tag:
        return f"{old_tag} -> {new_tag}"
    return f"{old} -> {new}"


def _split(image: str) -> tuple[str, str]:
    """Name and tag, or a digest's beginning; a colon before a slash is a port's."""
    name, at, digest = image.partition("@")
    head, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return head, tag
    return name, digest.removeprefix("sha256:")[:12] if at else ""


def _changed_fields(old: Object, new: Object) -> list[str]:
    before = dict(_leaves(_plain(old), ()))
    after = dict(_leaves(_plain(new), ()))
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    ours = {
        " ".join(step for step in key if step not in ("spec", "containers", "value"))
        for key in changed
        if key[-1] != "kubectl.kubernetes.io/restartedAt"
    }
    return sorted(ours)


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every scalar with its path; items of a list by their name where they have one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            name = inner.get("name") if isinstance(inner, dict) else None
            yield from _leaves(inner, (*path, str(name or number)))
    elif path[-1] != "name":
        yield path, str(value)


def _hide(before: Object, after: Object) -> None:
    """Blank out environment values whose name looks secret; that they differ stays visible."""
    known = {
        (container.get("name"), one.get("name")): one.get("value")
        for container in _containers(before)
        for one in rows(container, "env")
    }
    for container in _containers(after):
        for one in rows(container, "env"):
            if "value" in one and _SECRET.search(str(one.get("name"))):
                same = known.get((container.get("name"), one.get("name"))) == one["value"]
                one["value"] = "(hidden)" if same else "(hidden, another)"
    for container in _containers(before):
        for one in rows(container, "env"):
            if "value" in one and _SECRET.search(str(one.get("name"))):
                one["value"] = "(hidden)"
