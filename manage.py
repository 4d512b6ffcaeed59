#!/usr/bin/env python
"""Django's command line for Reliability Studio."""

import os
import re
import sys
from importlib import metadata
from pathlib import Path


def missing_packages() -> list[str]:
    """Names in requirements.txt that are not installed here."""
    pinned = Path(__file__).with_name("requirements.txt").read_text()
    missing = []
    for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==", pinned, re.MULTILINE):
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    return missing


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability_studio.settings")
    if sys.argv[1:2] == ["studio"] and (missing := missing_packages()):
        sys.exit(f"Not installed: {', '.join(missing)}. Run: make venv")
    from django.core.management import execute_from_command_line

    from accounts import origin

    with origin.command(sys.argv[1:]):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
