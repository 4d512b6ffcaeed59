"""The ceilings that intake is measured against: Django's smallest views on the same stack.

A WSGI application for gunicorn; DATABASE_URL names the database, `prepare` makes its tables.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from typing import Any

import dj_database_url
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

TABLES = """
CREATE TABLE raw_alert (
  id uuid PRIMARY KEY, fingerprint text UNIQUE, labels jsonb, annotations jsonb,
  starts_at timestamptz, seen integer NOT NULL DEFAULT 1);
CREATE TABLE raw_event (id uuid PRIMARY KEY, alert_id uuid NOT NULL, at timestamptz NOT NULL)
"""
UPSERT = """
INSERT INTO raw_alert (id, fingerprint, labels, annotations, starts_at)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (fingerprint) DO UPDATE
  SET annotations = excluded.annotations, seen = raw_alert.seen + 1
"""
BATCH = """
WITH given AS (
  SELECT * FROM unnest(
    %s::uuid[], %s::text[], %s::jsonb[], %s::jsonb[], %s::timestamptz[], %s::uuid[]
  ) AS given(id, fingerprint, labels, annotations, starts_at, event)
), stored AS (
  INSERT INTO raw_alert (id, fingerprint, labels, annotations, starts_at)
  SELECT id, fingerprint, labels, annotations, starts_at FROM given
  ON CONFLICT (fingerprint) DO UPDATE
    SET annotations = excluded.annotations, seen = raw_alert.seen + 1
  RETURNING id, fingerprint
)
INSERT INTO raw_event (id, alert_id, at)
SELECT given.event, stored.id, now() FROM stored JOIN given USING (fingerprint)
"""


def single(request: HttpRequest) -> HttpResponse:
    """One row, one upsert."""
    (row,) = rows_of(request)
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, row)
    return HttpResponse(status=202, headers={"Content-Length": "0"})


def batch(request: HttpRequest) -> HttpResponse:
    """All alerts of the body and a row about each, in one statement."""
    rows = sorted(rows_of(request), key=lambda row: row[1])
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(BATCH, [*columns, [str(uuid.uuid4()) for _ in rows]])
    return HttpResponse(status=202, headers={"Content-Length": "0"})


def rows_of(request: HttpRequest) -> list[tuple[Any, ...]]:
    return [
        (
            str(uuid.uuid4()),
            hashlib.sha256(json.dumps(sorted(alert["labels"].items())).encode()).hexdigest(),
            json.dumps(alert["labels"]),
            json.dumps(alert["annotations"]),
            alert["startsAt"],
        )
        for alert in json.loads(request.body)["alerts"]
    ]


urlpatterns = [path("single", single), path("batch", batch)]

if not settings.configured and os.environ.get("DATABASE_URL"):
    database = dict(dj_database_url.parse(os.environ["DATABASE_URL"]))
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {
                **database,
                "CONN_MAX_AGE": 0,
                "OPTIONS": {"pool": {"min_size": 1, "max_size": 24}},
            }
        },
        MIDDLEWARE=[],
        USE_TZ=True,
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    )
    django.setup()
    application = get_wsgi_application()
