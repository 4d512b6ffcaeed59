"""One installation asked by its tests' client, for benchmarks.lists: DATABASE_URL says which.

Reads JSON lines from its input and answers each with one: {"fill": {...}}, {"addresses": true},
{"count": address} or {"time": address}.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from django.test import Client


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability_studio.settings")
    django.setup()
    warnings.simplefilter("ignore")
    import logging

    logging.disable(logging.CRITICAL)
    from django.conf import settings
    from django.test import Client

    from accounts.models import User
    from reliability_studio.settled import settle
    from tests.endpoints.rows import make_rows

    settings.ALLOWED_HOSTS = ["testserver"]  # what the tests' client calls itself
    settle()

    kept = make_rows(1)
    client = Client()
    client.force_login(kept[User][0])
    for line in sys.stdin:
        asked = json.loads(line)
        if "fill" in asked:
            from benchmarks.load import many

            answer: Any = many.fill(kept, **asked["fill"])
            settle()  # what filling left is no load of the server's
        elif "addresses" in asked:
            from tests.endpoints.walk import addresses

            answer = {address.route: address.filled(kept) for address in addresses()}
        elif "count" in asked:
            answer = count(client, asked["count"])
        else:
            answer = seconds(client, asked["time"])
        print(json.dumps(answer), flush=True)


def count(client: Client, address: str) -> dict[str, int]:
    """{status, queries} of an address that was asked once before."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(address)  # caches and imports
    with CaptureQueriesContext(connection) as queries:
        status = client.get(address).status_code
    return {"status": status, "queries": len(queries)}


def seconds(client: Client, address: str) -> float:
    began = time.perf_counter()
    client.get(address)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
