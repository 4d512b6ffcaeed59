"""Which code ranked: the release, a digest of the modules the ranking is made of, what it runs on.

The same version ranks the same telemetry to the same bytes, given the same rules and calibration.
"""

from __future__ import annotations

import ast
import hashlib
import platform
import threading
from functools import lru_cache
from importlib.resources import files

import numpy as np
from django.conf import settings

ENTRANCE = "ranking"
VOCABULARY = "rulepacks/changes.yaml"


_reading = threading.Lock()


def current() -> dict[str, str]:
    """`release`, `code` (12 hexadecimal digits), `numpy` and `python` of this process."""
    with _reading:  # analyses run in threads, and Python 3.11 cannot parse in several at once
        return _read()


@lru_cache(maxsize=1)
def _read() -> dict[str, str]:
    return {
        "release": settings.VERSION,
        "code": _digest(),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _digest() -> str:
    """Of the source of every module of this app that the ranking imports, by name, and its words.

    Rules and calibration are not in it: they may be others in each run, and are kept with it.
    """
    sources = modules()
    total = hashlib.sha256(files("correlation").joinpath(VOCABULARY).read_bytes())
    for name in sorted(sources):
        total.update(f"{name}\0{sources[name]}\0".encode())
    return total.hexdigest()[:12]


def modules() -> dict[str, str]:
    """Name and source of the ranking's modules, found by their imports."""
    found: dict[str, str] = {}
    waiting = [ENTRANCE]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = files("correlation").joinpath(*f"{name}.py".split("/"))
        if not path.is_file():  # a package, or a name that was imported from a module
            path = files("correlation").joinpath(*f"{name}/__init__.py".split("/"))
            if not path.is_file():
                continue
        found[name] = path.read_text(encoding="utf-8")
        waiting += _imported(found[name])
    return found


def _imported(source: str) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    inside = [name.split(".")[1:] for name in names if name.startswith("correlation.")]
    return ["/".join(parts) for parts in inside]
