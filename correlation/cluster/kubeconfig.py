"""What is wrong with a kubeconfig or the in-cluster credentials, found without asking a cluster."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SECTIONS = ("clusters", "contexts", "users")


def kubeconfig_problem(kubeconfig: str, context: str) -> str:
    """Why these credentials cannot be used, "" when they look usable.

    `kubeconfig` is a path (or several, as kubectl takes them), "" for in-cluster credentials.
    """
    if not kubeconfig:
        return _in_cluster_problem()
    paths = [Path(part).expanduser() for part in kubeconfig.split(os.pathsep) if part]
    there = [path for path in paths if path.exists()] or paths[:1]
    merged: dict[str, Any] = {section: {} for section in _SECTIONS}
    current = ""
    for path in there:
        try:
            stat = path.stat()
            found = _parsed(path, stat.st_mtime_ns, stat.st_size)
        except OSError as error:
            words = (error.strerror or "unknown reason").lower()
            return f"the kubeconfig {path} cannot be read: {words}"
        except (ValueError, yaml.YAMLError, RecursionError):
            return f"the kubeconfig {path} cannot be parsed"
        for section in _SECTIONS:
            merged[section] = {**found[section], **merged[section]}
        current = current or found["current"]
    return _context_problem(kubeconfig, context or current, bool(context), merged)


def _token() -> Path:
    return Path(settings.KUBERNETES_SERVICE_ACCOUNT_DIR) / "token"


def _in_cluster_problem() -> str:
    if not os.environ.get("KUBERNETES_SERVICE_HOST"):
        return "there are no in-cluster credentials: KUBERNETES_SERVICE_HOST is not set"
    for name in ("token", "ca.crt"):
        path = _token().with_name(name)
        try:
            empty = not path.read_bytes().strip()
        except OSError as error:
            words = (error.strerror or "unknown reason").lower()
            return f"the in-cluster credentials {path} cannot be read: {words}"
        if empty:
            return f"the in-cluster credentials {path} are empty"
    return ""


def _context_problem(path: str, name: str, chosen: bool, merged: dict[str, Any]) -> str:
    known = ", ".join(sorted(merged["contexts"])[:10]) or "none"
    if not name:
        return f"the kubeconfig {path} has no current-context; its contexts: {known}"
    if name not in merged["contexts"]:
        which = "context" if chosen else "current-context"
        return f"the kubeconfig {path} has no {which} {name!r}; its contexts: {known}"
    context = merged["contexts"][name]
    cluster = merged["clusters"].get(context.get("cluster"))
    if cluster is None or not isinstance(cluster.get("server"), str):
        return f"the kubeconfig {path} names no server for its context {name!r}"
    user = context.get("user")
    if user and user not in merged["users"]:
        return f"the kubeconfig {path} has no user {user!r}, which its context {name!r} names"
    return ""


@lru_cache(maxsize=32)
def _parsed(path: Path, modified: int, size: int) -> dict[str, Any]:
    """Its sections by name. Raises ValueError for what is no kubeconfig; never cached then."""
    with path.open(encoding="utf-8") as opened:
        content = yaml.load(opened, _LOADER)  # noqa: S506 - a safe loader, in C where there is one
    if not isinstance(content, dict) or not any(content.get(part) for part in _SECTIONS):
        raise ValueError("not a kubeconfig")
    found: dict[str, Any] = {"current": str(content.get("current-context") or "")}
    for section in _SECTIONS:
        found[section] = {}
        for entry in content.get(section) or []:
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                raise ValueError("an entry without a name")
            value = entry.get(section[:-1]) or {}
            if not isinstance(value, dict):
                raise ValueError("an entry that is no object")
            found[section][entry["name"]] = value
    return found
