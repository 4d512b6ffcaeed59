"""The store on SQLite: three statements in one transaction, whatever the number of alerts.

SQLite has one writer at a time and no writing inside WITH: the series' rows come back from their
upsert, and what changed is written after them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from incidents.ids import time_ordered
from incidents.intake.members import LATE_SECONDS, MOST_PAST
from incidents.intake.proof import Proof, Unproven
from incidents.intake.series import Series
from incidents.models import Delivery

SERIES = """
INSERT INTO incidents_alert AS known (
  id, source_id, identity, name, labels, annotations, generator_url, first_seen_at,
  last_seen_at, received_count, members, firing, latest_occurrence_id, changed_by)
SELECT
  value->>'id', %(source)s, value->>'identity', value->>'name', value->'labels',
  value->'annotations', value->>'generator_url', %(now)s, %(now)s, 1, value->'members',
  value->>'firing', value->>'occurrence', %(delivery)s
FROM json_each(%(series)s) WHERE true
ON CONFLICT (source_id, identity) DO UPDATE SET
  name = CASE WHEN excluded.firing THEN excluded.name ELSE known.name END,
  labels = CASE WHEN excluded.firing THEN excluded.labels ELSE known.labels END,
  annotations = CASE WHEN excluded.firing THEN excluded.annotations ELSE known.annotations END,
  generator_url =
    CASE WHEN excluded.firing THEN excluded.generator_url ELSE known.generator_url END,
  last_seen_at = max(known.last_seen_at, excluded.last_seen_at),
  received_count = known.received_count + 1,
  (members, firing, latest_occurrence_id, changed_by) = (
    SELECT
      after.members,
      after.firing,
      CASE WHEN after.begins AND NOT known.firing THEN excluded.latest_occurrence_id
        ELSE known.latest_occurrence_id END,
      CASE WHEN after.news = 0 THEN known.changed_by ELSE excluded.changed_by END
    FROM (
      SELECT said.members, said.begins, said.news, EXISTS (
        SELECT 1 FROM json_each(said.members) AS member WHERE member.value->>'firing'
      ) AS firing
      FROM (
        SELECT count(*) AS news, max(begins) AS begins,
          json_patch(known.members, json_group_object(key, CASE
            WHEN begins OR ends THEN json_set(word,
              '$.silent', json(iif(fires OR at = old_at AND NOT old_silent, 'false', 'true')),
              '$.inferred', NULL,
              '$.past', json(CASE
                WHEN NOT claims OR old_at IS NULL THEN word->'past'
                WHEN at = old_at AND NOT begins THEN past
                ELSE json_insert(kept, '$[#]', json_patch(
                  json_remove(old, '$.told', '$.past'),
                  json_object('inferred', json(iif(at <= old_until, 'true', 'false'))))) END))
            WHEN fires AND at = old_at THEN json('{"silent": false}')
            ELSE json_object(
              'past', json(json_insert(kept, '$[#]', json_remove(word, '$.told', '$.past'))))
            END)) AS members
        FROM (
          SELECT *,
            iif(json_array_length(past) < %(most)s, past, json_remove(past, '$[0]')) AS kept,
            coalesce(
              old_at IS NULL
                OR (claims OR fires AND NOT old_fires) AND at > old_at
                  AND at >= coalesce(old_until, at)
                OR fires AND NOT old_fires AND told - old_told > %(late)s,
              0) AS begins,
            NOT fires AND CASE WHEN old_fires THEN at >= old_at OR until > old_at
              ELSE claims AND until > old_until END AS ends,
            EXISTS (
              SELECT 1 FROM json_each(past) AS gone WHERE gone.value->>'firing' = fires
                AND gone.value->>'from' = at AND gone.value->>'until' IS until
            ) AS told_before
          FROM (
            SELECT said.key AS key, said.value AS word, old.value AS old,
              said.value->>'firing' AS fires, said.value->>'from' AS at,
              said.value->>'until' AS until, said.value->>'told' AS told,
              said.value->'past' IS NOT NULL AS claims,
              old.value->>'firing' AS old_fires, old.value->>'from' AS old_at,
              old.value->>'until' AS old_until, old.value->>'told' AS old_told,
              old.value->>'silent' AS old_silent,
              coalesce(old.value->'past', '[]') AS past
            FROM json_each(excluded.members) AS said
            LEFT JOIN json_each(known.members) AS old ON old.key = said.key
          )
        )
        WHERE begins OR CASE WHEN fires AND at = old_at THEN old_silent
          ELSE NOT told_before AND (ends OR claims AND at <> old_at)
          END
      ) AS said
    ) AS after
  )
RETURNING identity, id, firing, latest_occurrence_id, changed_by
"""
OCCURRENCES = """
INSERT INTO incidents_alertoccurrence AS kept (
  id, alert_id, claimed_started_at, started_at, resolved_at, delivery_id, fired)
SELECT value->>'id', value->>'alert', value->>'claimed', min(value->>'claimed', %(now)s),
  CASE WHEN NOT value->>'firing' THEN %(now)s END, %(delivery)s, value->>'fired'
FROM json_each(%(changed)s) WHERE true
ON CONFLICT (id) DO UPDATE SET
  resolved_at = coalesce(kept.resolved_at, excluded.resolved_at),
  delivery_id = excluded.delivery_id,
  fired = kept.fired OR excluded.fired
"""
DELIVERY = """
INSERT INTO incidents_delivery AS kept (
  id, source_id, received_at, kind, body, alert_count, refused, acknowledges, state, attempt,
  error)
VALUES (%(delivery)s, %(source)s, %(now)s, %(kind)s, %(body)s, %(alert_count)s, %(refused)s,
  %(acknowledges)s, %(state)s, 0, '')
ON CONFLICT (id) DO UPDATE SET
  state = excluded.state, attempt = 0, lease_until = NULL, error = '',
  alert_count = excluded.alert_count, refused = excluded.refused,
  acknowledges = excluded.acknowledges
"""


def write(
    delivery: Delivery, series: Sequence[Series], *, waits: bool, proof: Proof | None = None
) -> bool:
    """Whether the delivery waits for grouping: it changed something, or `waits`.

    Raises Unproven with a `proof`: it is not checked here.
    """
    if proof is not None:
        raise Unproven
    values: dict[str, Any] = {
        "delivery": delivery.pk.hex,
        "source": delivery.source_id.hex,
        "now": _time(delivery.received_at),
        "most": MOST_PAST,
        "late": LATE_SECONDS,
    }
    given = {each.identity: each for each in series}
    with transaction.atomic(), connection.cursor() as cursor:
        changed: list[dict[str, Any]] = []
        if series:
            rows = json.dumps([_row(each) for each in series])
            cursor.execute(SERIES, {**values, "series": rows})
            changed = [
                {
                    "id": occurrence,
                    "alert": pk,
                    "claimed": _time(given[key].claimed_started_at),
                    "firing": firing,
                    "fired": given[key].fired,
                }
                for key, pk, firing, occurrence, changed_by in cursor.fetchall()
                if changed_by == values["delivery"]
            ]
        if changed:
            cursor.execute(OCCURRENCES, {**values, "changed": json.dumps(changed)})
        state = Delivery.State.QUEUED if waits or changed else Delivery.State.DONE
        more: dict[str, Any] = {
            "kind": delivery.kind,
            "body": delivery.body,
            "alert_count": delivery.alert_count,
            "refused": delivery.refused,
            "acknowledges": delivery.acknowledges,
            "state": state.value,
        }
        cursor.execute(DELIVERY, {**values, **more})
    return state == Delivery.State.QUEUED


def _time(at: datetime) -> str:
    return str(connection.ops.adapt_datetimefield_value(at))


def _row(series: Series) -> dict[str, object]:
    return {
        "id": time_ordered().hex,
        "occurrence": time_ordered().hex,
        "identity": series.identity,
        "name": series.alert.name,
        "labels": series.alert.labels,
        "annotations": series.alert.annotations,
        "generator_url": series.alert.generator_url,
        "members": series.members,
        "firing": series.firing,
    }
