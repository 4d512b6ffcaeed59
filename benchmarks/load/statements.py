"""SQL statements a delivery takes, counted through the product's own view on this database:
python -m benchmarks.load.statements, with DATABASE_URL and BENCH_TOKEN; prints JSON."""

from __future__ import annotations

import json
import logging
import os
import warnings

import django

SIZES = (1, 20)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability_studio.settings")
    django.setup()
    logging.disable(logging.CRITICAL)  # a line a request
    warnings.simplefilter("ignore")
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from benchmarks.raw.sender import body

    client = Client(headers={"authorization": f"Bearer {os.environ['BENCH_TOKEN']}"})
    counts: dict[str, list[int]] = {}
    for size in SIZES:
        # twice each: the first of a process, and one that remembers the token
        template = body(size, os.urandom(6).hex())
        bodies = [template.replace(b"@@", mark) for mark in (b"0", b"1", b"1", b"1")]
        taken = []
        for content in bodies:
            with CaptureQueriesContext(connection) as queries:
                answer = client.post(
                    f"/api/intake/alertmanager?source={os.environ['BENCH_SOURCE']}",
                    content,
                    content_type="application/json",
                )
            if answer.status_code != 202:
                raise SystemExit(f"{answer.status_code} {answer.content[:200]!r}")
            taken.append(len(queries))
        counts[f"{size} new"], counts[f"{size} again"] = taken[:2], taken[2:]
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
