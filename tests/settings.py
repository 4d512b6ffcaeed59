"""The product's settings for tests: state in a temporary folder, nothing of the caller's.

DATABASE_URL and REDIS_URL are kept: `python -m tests.servers` sets them.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from urllib.parse import urlsplit

if "STUDIO_TEST_DIR" not in os.environ:  # pytest-xdist's workers inherit it
    os.environ["STUDIO_TEST_DIR"] = tempfile.mkdtemp(prefix="studio-tests-")
    atexit.register(shutil.rmtree, os.environ["STUDIO_TEST_DIR"], ignore_errors=True)
os.environ["STUDIO_DIR"] = os.environ["STUDIO_TEST_DIR"]
for _name in ("STUDIO_DEMO", "STUDIO_PORT", "STUDIO_ADMIN_PASSWORD", "REGISTRATION_OPEN", "DEBUG"):
    os.environ.pop(_name, None)
# pytest-xdist's workers share one Valkey: each has its own database of it
_worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0)
if os.environ.get("REDIS_URL") and "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["REDIS_URL"] = (
        urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{_worker}").geturl()
    )

from reliability_studio.settings import *  # noqa: E402, F403

# tests marked "live" read the environment themselves
PROMETHEUS_URL = LOKI_URL = TEMPO_URL = ALERTMANAGER_URL = LAB_URL = KUBECONFIG = GRAFANA_URL = ""
KUBERNETES_IN_CLUSTER = False
if REDIS_URL:  # noqa: F405
    # publish and subscribe know no databases
    CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = f"studio-{_worker}"  # noqa: F405
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405  (whitenoise warns about its absence)
