"""One installation asked by its tests' client, for benchmarks.lists: DATABASE_URL says which.

Reads JSON lines from its input and answers each with one: {"fill": {...}} or {"ask": address}.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from typing import Any

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability_studio.settings")
    django.setup()
    warnings.simplefilter("ignore")
    import logging

    logging.disable(logging.CRITICAL)
    from django.test.utils import setup_test_environment

    setup_test_environment()
    from tests.endpoints.rows import make_rows

    kept = make_rows(1)
    for line in sys.stdin:
        asked = json.loads(line)
        if "fill" in asked:
            from benchmarks.load import many

            answer: Any = many.fill(kept, **asked["fill"])
        elif "addresses" in asked:
            from tests.endpoints.walk import addresses

            answer = {address.route: address.filled(kept) for address in addresses()}
        else:
            answer = ask(kept, asked["ask"], asked["times"])
        print(json.dumps(answer), flush=True)


def ask(kept: Any, address: str, times: int) -> dict[str, Any]:
    """{status, queries, seconds: one a time}; statements are counted apart from the timing."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User

    client = Client()
    client.force_login(kept[User][0])
    client.get(address)  # caches and imports
    with CaptureQueriesContext(connection) as queries:
        status = client.get(address).status_code
    taken = len(queries)  # the next request begins the log anew
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        client.get(address)
        seconds.append(time.perf_counter() - began)
    return {"status": status, "queries": taken, "seconds": seconds}


if __name__ == "__main__":
    main()
