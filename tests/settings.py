"""The product's settings for tests: state in a temporary folder, nothing of the caller's.

DATABASE_URL and REDIS_URL are kept: `python -m tests.servers` sets them.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

if "STUDIO_TEST_DIR" not in os.environ:  # pytest-xdist's workers inherit it
    os.environ["STUDIO_TEST_DIR"] = tempfile.mkdtemp(prefix="studio-tests-")
    atexit.register(shutil.rmtree, os.environ["STUDIO_TEST_DIR"], ignore_errors=True)
os.environ["STUDIO_DIR"] = os.environ["STUDIO_TEST_DIR"]
for _name in ("STUDIO_DEMO", "STUDIO_PORT", "STUDIO_ADMIN_PASSWORD", "REGISTRATION_OPEN", "DEBUG"):
    os.environ.pop(_name, None)

from reliability_studio.settings import *  # noqa: E402, F403

# tests marked "live" read the environment themselves
PROMETHEUS_URL = LOKI_URL = TEMPO_URL = ALERTMANAGER_URL = LAB_URL = ""

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405  (whitenoise warns about its absence)
