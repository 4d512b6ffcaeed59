from __future__ import annotations

import re

from correlation import engine_version


def test_current_names_release_code_numpy_and_python() -> None:
    found = engine_version.current()

    assert list(found) == ["release", "code", "numpy", "python"]
    assert re.fullmatch("[0-9a-f]{12}", found["code"])


def test_modules_are_those_the_ranking_reaches() -> None:
    found = set(engine_version.modules())

    reached = {"ranking", "telemetry", "rules/matching", "calibration", "logs/patterns", "units"}
    assert reached <= found
    assert found & {"engine", "outcome", "models", "models/__init__", "gather", "panels"} == set()
