"""The key that signs sessions and tokens."""

from __future__ import annotations

import secrets
from pathlib import Path

from reliability_studio import environment as env


def secret_key(given: str, directory: Path, *, shared: bool) -> str:
    """The one that is given, or on embedded defaults one generated once and kept in `directory`.

    `shared` says that other processes need the same; a problem is reported, never raised.
    """
    if given:
        if len(given) < 32:
            env.report(
                "studio.E005",
                "SECRET_KEY",
                "SECRET_KEY is shorter than 32 characters.",
                "Generate one: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
            )
        return given
    if shared:
        env.report(
            "studio.E006",
            "SECRET_KEY",
            "SECRET_KEY is not set, and DATABASE_URL or REDIS_URL is: processes would disagree.",
            "Set the same SECRET_KEY for every process.",
        )
        return secrets.token_urlsafe(48)
    kept = directory / "secret_key"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not kept.exists():
            draft = kept.with_name(f"secret_key.{secrets.token_hex(4)}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            try:
                kept.hardlink_to(draft)  # atomic: the first of two processes wins
            except FileExistsError:
                pass
            draft.unlink()
        return kept.read_text().strip()
    except OSError as error:
        env.report(
            "studio.E007",
            "STUDIO_DIR",
            f"STUDIO_DIR {directory} cannot be written: {error.strerror}.",
            "Point STUDIO_DIR at a directory this user can write.",
        )
        return secrets.token_urlsafe(48)
