from __future__ import annotations

from pathlib import Path
from typing import Any

from correlation.metrics.profile_checks import check_own_profiles

GOOD = "queries: [{signal: cpu, unit: cores, direction: up, query: 'x'}]"


def test_no_folder_is_no_problem(settings: Any) -> None:
    settings.QUERY_PROFILES_DIR = ""

    assert check_own_profiles(None) == []


def test_missing_folder_is_refused(tmp_path: Path, settings: Any) -> None:
    settings.QUERY_PROFILES_DIR = str(tmp_path / "none")

    found = check_own_profiles(None)

    assert [one.id for one in found] == ["studio.E016"]
    assert found[0].msg.endswith("is not a folder.")


def test_broken_file_is_refused_by_name(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(GOOD.replace("x", "$y"))
    settings.QUERY_PROFILES_DIR = str(tmp_path)

    found = check_own_profiles(None)

    assert [(one.id, one.msg) for one in found] == [
        ("studio.E016", "Query profile bad: cpu: unknown placeholder $y.")
    ]
