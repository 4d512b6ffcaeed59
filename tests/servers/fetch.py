"""Before the tests: get the real programs some of them drive, where the machine allows.

Never fails: what cannot be had is said here, and its tests are skipped by name.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_SECONDS = 240


def fetch_prometheus() -> str | None:
    """Why there is no real Prometheus, or None when there is one."""
    if importlib.util.find_spec("tests.servers.prometheus") is None:
        return "tests.servers.prometheus is missing"
    return _run([sys.executable, "-m", "tests.servers.prometheus", "fetch"])


def fetch_servers() -> str | None:
    """Why there is no real Alertmanager or nginx, or None when there are both."""
    return _run([sys.executable, "-m", "tests.servers.debian", "fetch"])


def fetch_chromium() -> str | None:
    """Why there is no browser, or None when there is one."""
    if any(shutil.which(name) for name in BROWSERS):
        return None
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "none of " + ", ".join(BROWSERS) + " is installed"
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    if _run(install) is None:
        return None
    return _run(["apt-get", "update", "-qq"]) or _run(install)


def _run(command: list[str]) -> str | None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"{command[0]} ended with {done.returncode}"


def main() -> None:
    wanted = (
        ("Prometheus", fetch_prometheus),
        ("Alertmanager and nginx", fetch_servers),
        ("Chromium", fetch_chromium),
    )
    for name, fetch in wanted:
        reason = fetch()
        if reason is not None:
            print(f"No {name} for the tests, those that drive it are skipped: {reason}")


if __name__ == "__main__":
    main()
