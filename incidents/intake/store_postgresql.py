"""The store on PostgreSQL: one statement, whatever the number of alerts.

Its parts see one snapshot, so the state that decides is read where ON CONFLICT has locked the
row (the series), and an occurrence is closed by ON CONFLICT as well: it may have been made by a
transaction that committed after the snapshot was taken. Rows are locked in identity order, so
that deliveries with alerts in common cannot deadlock. A token that was good a moment ago is
looked up here once more instead of in a statement before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from incidents.ids import time_ordered
from incidents.intake import prepared
from incidents.intake.members import LATE_SECONDS, MOST_PAST
from incidents.intake.proof import Proof, Unproven
from incidents.intake.series import Series
from incidents.models import Delivery

FIXED = {
    "{late}": str(LATE_SECONDS),
    "{most}": str(MOST_PAST - 2),
    "{member}": 'firing bool, "from" float8, until float8, told float8, silent bool, past jsonb',
}
ALIASES = (
    "allowed",
    "begins",
    "claims",
    "fires",
    "given",
    "gone",
    "judged",
    "kept",
    "known",
    "news",
    "occurrences",
    "old",
    "old_at",
    "old_fires",
    "old_told",
    "old_until",
    "said",
    "word",
)
STATEMENT = """
WITH allowed AS (
  SELECT 1 WHERE %(token)s::text IS NULL OR EXISTS (
    SELECT FROM accounts_apitoken AS token, incidents_alertsource AS source
    WHERE token.token_hash = %(token)s AND token.revoked_at IS NULL
      AND (token.expires_at IS NULL OR token.expires_at > %(checked_at)s)
      AND token.scopes ? 'intake' AND token.owner_id IS NULL
      AND source.id = %(source)s AND source.ignored_labels = %(ignored)s::jsonb)
), given AS (
  SELECT given.* FROM allowed, jsonb_to_recordset(%(series)s::jsonb) AS given(
    id uuid, occurrence uuid, identity text, name text, labels jsonb, annotations jsonb,
    generator_url text, members jsonb, firing bool, fired bool,
    claimed timestamptz)
), series AS (
  INSERT INTO incidents_alert AS known (
    id, source_id, identity, name, labels, annotations, generator_url, first_seen_at,
    last_seen_at, received_count, members, firing, latest_occurrence_id, changed_by)
  SELECT id, %(source)s, identity, name, labels, annotations, generator_url, %(now)s,
    %(now)s, 1, members, firing, occurrence, %(delivery)s
  FROM given ORDER BY identity
  ON CONFLICT (source_id, identity) DO UPDATE SET
    (name, labels, annotations, generator_url) = (
      SELECT told.name, told.labels, told.annotations, told.generator_url
      FROM (SELECT (CASE WHEN excluded.firing THEN excluded ELSE known END).*) AS told),
    last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at),
    received_count = known.received_count + 1,
    (members, firing, latest_occurrence_id, changed_by) = (
      SELECT
        known.members || news.members,
        (known.members || news.members) @@ '$.*.firing == true',
        CASE WHEN news.begins AND NOT known.firing THEN excluded.latest_occurrence_id
          ELSE known.latest_occurrence_id END,
        CASE WHEN news.begins IS NULL THEN known.changed_by ELSE excluded.changed_by END
      FROM (
        SELECT bool_or(begins) AS begins, coalesce(jsonb_object_agg(key, CASE
          WHEN begins OR ends THEN jsonb_strip_nulls(word || jsonb_build_object(
            'silent', NOT fires AND (old_at IS DISTINCT FROM at OR silent),
            'past', CASE WHEN old_at IS NULL OR at = old_at AND NOT begins THEN past
              ELSE kept || (old - gone || jsonb_build_object('inferred', at <= old_until)) END))
          WHEN at = old_at THEN old || '{"silent": false}'
          ELSE old || jsonb_build_object('past', kept || (word - gone))
          END), '{}') AS members
        FROM (
          SELECT *,
            (old_at IS NULL
              OR (claims OR fires AND NOT old_fires) AND at > old_at
                AND at >= coalesce(old_until, at)
              OR fires AND NOT old_fires AND told - old_told > {late}
            ) IS TRUE AS begins,
            NOT fires AND CASE WHEN old_fires THEN at >= old_at OR until > old_at
              ELSE claims AND until > old_until END AS ends,
            jsonb_path_query_array(past, '$[last-{most} to last]') AS kept
          FROM (
            SELECT key, word, old, w.firing AS fires, w.from AS at, w.until, w.told,
              w.past IS NOT NULL AS claims, o.firing AS old_fires, o.from AS old_at,
              o.until AS old_until, o.told AS old_told, o.silent,
              coalesce(o.past, w.past) AS past, '{told,past}'::text[] AS gone
            FROM (
              SELECT key, jsonb_strip_nulls(value) AS word,
                coalesce(known.members->key, '{}') AS old
              FROM jsonb_each(excluded.members)) AS said,
              jsonb_to_record(word) AS w({member}),
              jsonb_to_record(old) AS o({member})
          ) AS said
        ) AS judged
        WHERE begins OR CASE WHEN fires AND at = old_at THEN silent
          ELSE (past @> jsonb_build_array(word - gone - 'silent')) IS NOT TRUE
            AND (ends OR claims AND at <> old_at) END
      ) AS news
    )
  RETURNING id, identity, firing, latest_occurrence_id, changed_by
), occurrences AS (
  INSERT INTO incidents_alertoccurrence AS kept (
    id, alert_id, claimed_started_at, started_at, resolved_at, delivery_id, fired)
  SELECT series.latest_occurrence_id, series.id, given.claimed, least(given.claimed, %(now)s),
    CASE WHEN NOT series.firing THEN %(now)s::timestamptz END, %(delivery)s, given.fired
  FROM series JOIN given USING (identity)
  WHERE series.changed_by = %(delivery)s
  ON CONFLICT (id) DO UPDATE SET
    resolved_at = coalesce(kept.resolved_at, excluded.resolved_at),
    delivery_id = excluded.delivery_id,
    fired = kept.fired OR excluded.fired
  RETURNING 1
)
INSERT INTO incidents_delivery (
  id, source_id, received_at, kind, body, alert_count, refused, acknowledges, state, attempt,
  error)
SELECT %(delivery)s, %(source)s, %(now)s, %(kind)s, %(body)s, %(alert_count)s, %(refused)s,
  %(acknowledges)s,
  CASE WHEN %(waits)s OR EXISTS (SELECT FROM occurrences) THEN 'queued' ELSE 'done' END, 0, ''
FROM allowed
ON CONFLICT (id) DO UPDATE SET
  state = excluded.state, attempt = 0, lease_until = NULL, error = '',
  alert_count = excluded.alert_count, refused = excluded.refused,
  acknowledges = excluded.acknowledges
RETURNING state
"""


def _short(statement: str) -> str:
    """Below the 4096 characters of a statement whose parsing psycopg remembers."""
    for name, value in FIXED.items():
        statement = statement.replace(name, value)
    for number, alias in enumerate(ALIASES):
        statement = re.sub(rf"\b{alias}\b", f"a{number}", statement)
    return re.sub(r"\s*([,()=<>|]+)\s*", r"\1", " ".join(statement.split()))


STATEMENT = _short(STATEMENT)


def write(
    delivery: Delivery, series: Sequence[Series], *, waits: bool, proof: Proof | None = None
) -> bool:
    """Whether the delivery waits for grouping: it changed something, or `waits`.

    With `proof` nothing is written unless it holds; raises Unproven then.
    """
    values: dict[str, Any] = {
        "series": json.dumps([_row(each) for each in series]),
        "delivery": delivery.pk,
        "source": delivery.source_id,
        "now": delivery.received_at,
        "kind": delivery.kind,
        "body": delivery.body,
        "alert_count": delivery.alert_count,
        "refused": delivery.refused,
        "acknowledges": delivery.acknowledges,
        "waits": waits,
        "token": proof.token_hash if proof else None,
        "ignored": proof.ignored_labels if proof else None,
        "checked_at": timezone.now(),
    }
    with prepared.cursor() as cursor:
        cursor.execute(STATEMENT, values)
        row = cursor.fetchone()
    if row is None:
        raise Unproven
    return bool(row[0] == Delivery.State.QUEUED)


def _row(series: Series) -> dict[str, object]:
    return {
        "id": str(time_ordered()),
        "occurrence": str(time_ordered()),
        "identity": series.identity,
        "name": series.alert.name,
        "labels": series.alert.labels,
        "annotations": series.alert.annotations,
        "generator_url": series.alert.generator_url,
        "members": series.members,
        "firing": series.firing,
        "fired": series.fired,
        "claimed": series.claimed_started_at.isoformat(),
    }
