"""Programs of Debian's packages for tests, unpacked into .cache/ and not installed.

    python -m tests.servers.debian fetch

fetches those that are not there; where the machine does not allow that it says why, and the
tests that need them are skipped by name.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.servers import ServerError

CACHE = Path(__file__).resolve().parents[2] / ".cache"
PACKAGES = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager", "nginx": "nginx"}
"""Folder in .cache -> Debian's package."""
TEMPLATES = Path("usr/share/prometheus/alertmanager")
"""Where Debian's Alertmanager has its templates: it starts only where they lie there below /."""
FETCH_SECONDS = 120.0
USAGE = "usage: python -m tests.servers.debian fetch"


def program(folder: str, name: str) -> Path:
    """The path of a program of a package. Raises ServerError when it is not there."""
    for place in ("usr/bin", "usr/sbin"):
        path = CACHE / folder / place / name
        if path.is_file():
            return path
    raise ServerError(f"no real {name} in .cache/{folder}: run `python -m tests.servers.fetch`")


def fetch(folder: str, name: str) -> Path:
    """Download and unpack the program's package unless it is there; its path.

    Raises ServerError in one line.
    """
    try:
        return program(folder, name)
    except ServerError:
        pass
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise ServerError(f"{tool} is not on this machine")
    package = PACKAGES[folder]
    CACHE.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{folder}-", dir=CACHE))
    try:
        run(["apt-get", "-q", "download", package], draft)
        archive = next(draft.glob(f"{package}_*.deb"), None)
        if archive is None:
            raise ServerError(f"apt-get downloaded no {package} package")
        unpacked = draft / "unpacked"
        run(["dpkg-deb", "-x", str(archive), str(unpacked)], draft)
        if (CACHE / folder).exists():
            shutil.rmtree(CACHE / folder)
        unpacked.rename(CACHE / folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return program(folder, name)


def alertmanager() -> Path:
    """The server that can be started. Raises ServerError."""
    found = program("alertmanager", "prometheus-alertmanager")
    if not (Path("/") / TEMPLATES / "default.tmpl").is_file():
        raise ServerError(f"its templates are not in /{TEMPLATES}, where alone it looks for them")
    return found


def place_templates() -> None:
    """Put the unpacked templates where the server looks. Raises ServerError where we may not."""
    try:
        shutil.copytree(
            CACHE / "alertmanager" / TEMPLATES, Path("/") / TEMPLATES, dirs_exist_ok=True
        )
    except OSError as error:
        raise ServerError(f"/{TEMPLATES} cannot be written: {error}") from error


def run(command: Sequence[str], folder: Path) -> None:
    """Run it to its end in `folder`. Raises ServerError with its last line when it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerError(f"{command[0]} did not finish: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise ServerError(f"{' '.join(command[:2])} failed: {lines[-1]}")


def main(arguments: Sequence[str]) -> int:
    if list(arguments) != ["fetch"]:
        print(USAGE, file=sys.stderr)
        return 2
    for folder, name in (("alertmanager", "amtool"), ("nginx", "nginx")):
        try:
            fetch(folder, name)
        except ServerError as error:
            print(f"{folder}: {error}", file=sys.stderr)
            return 1
    try:
        alertmanager()
    except ServerError:
        try:
            place_templates()
        except ServerError as error:
            print(f"alertmanager: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
