"""What the acts on SLOs refuse, as answers of the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework.exceptions import ValidationError

from accounts.problems import Problem
from slos.importing import ImportRefused
from slos.keeping import HasHistory, Overtaken, Refused


@contextmanager
def refusals() -> Iterator[None]:
    """400 by field, 412 for another version, 409 for one that has counted something."""
    try:
        yield
    except Refused as refused:
        raise ValidationError(refused.errors) from refused
    except Overtaken as overtaken:
        raise Problem(
            412, "version-conflict", str(overtaken), version=overtaken.version
        ) from overtaken
    except HasHistory as kept:
        raise Problem(
            409, "slo-has-history", "It has counted events: disable it, and they stay."
        ) from kept
    except ImportRefused as refused:
        found = [{"path": r.path, "line": r.line, "why": r.why} for r in refused.refusals]
        errors: dict[str, list[str]] = {}
        for one in refused.refusals:
            errors.setdefault(one.path, []).append(f"line {one.line}: {one.why}")
        raise Problem(
            400, "openslo-refused", str(refused), errors=errors, refusals=found
        ) from refused
