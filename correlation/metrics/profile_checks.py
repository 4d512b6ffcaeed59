"""System check of the user's own query profiles: studio.E016, a file or folder that is no use."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from correlation.metrics import profiles
from correlation.metrics.profiles import ProfileError


def connect() -> None:
    """Has Django run the check with the others."""
    register(check_own_profiles)


def check_own_profiles(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    folder = profiles.own_folder()
    if folder is None:
        return []
    if not folder.is_dir():
        return [_error(f"QUERY_PROFILES_DIR {folder} is not a folder.", "Create or correct it.")]
    found: list[CheckMessage] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            profiles.parse(path.read_text(encoding="utf-8"), path.stem)
        except (ProfileError, OSError, UnicodeDecodeError) as error:
            found.append(_error(f"Query profile {error}.", f"Correct {path.name}."))
    return found


def _error(message: str, hint: str) -> Error:
    return Error(message, hint, id="studio.E016")
