"""Fills PostgreSQL's tables of alerts by SQL, as months of deliveries would have left them."""

from __future__ import annotations

import psycopg

PIECE = 100_000
FIRING_PER_MILLE = 10
ALERTS_PER_DELIVERY = 10
# identities, labels and texts of the size that senders' have; the newest are a second old
STATEMENTS = (
    """
INSERT INTO incidents_delivery (id, source_id, received_at, kind, body, alert_count, state,
  attempt, error, refused, acknowledges)
SELECT gen_random_uuid(), source.id, now() - n * interval '1 second', 'alertmanager',
  repeat('{"alerts": [{"status": "firing"}]} ', 20), %(each)s, 'done', 0, '', '', ''
FROM incidents_alertsource AS source, generate_series(%(first)s, %(last)s, %(each)s) AS n
WHERE source.slug = %(source)s
""",
    """
INSERT INTO incidents_alert (id, source_id, identity, name, labels, annotations, generator_url,
  first_seen_at, last_seen_at, received_count, members, firing, latest_occurrence_id)
SELECT gen_random_uuid(), source.id,
  encode(sha256(('stored-' || n)::bytea), 'hex'), 'HighErrorRate',
  jsonb_build_object('alertname', 'HighErrorRate', 'namespace', 'production',
    'service', 'service-' || n %% 200, 'severity', 'critical', 'pod', 'stored-' || n),
  jsonb_build_object('summary', 'High ratio of failed requests',
    'description', repeat('More than 5 %% of the requests of five minutes failed. ', 3)),
  'http://prometheus.example.com/graph?g0.expr=errors',
  now() - n * interval '1 second', now() - n * interval '1 second', 1,
  jsonb_build_object('stored-' || n, jsonb_build_object('firing', n %% 1000 < %(firing)s,
    'from', extract(epoch FROM now()) - n, 'until', extract(epoch FROM now()) - n + 600,
    'silent', false)),
  n %% 1000 < %(firing)s, gen_random_uuid()
FROM incidents_alertsource AS source, generate_series(%(first)s, %(last)s) AS n
WHERE source.slug = %(source)s
""",
    """
INSERT INTO incidents_alertoccurrence (id, alert_id, claimed_started_at, started_at, resolved_at,
  fired, end_told_at)
SELECT latest_occurrence_id, id, first_seen_at, first_seen_at,
  CASE WHEN NOT firing THEN first_seen_at + interval '600 seconds' END, true,
  CASE WHEN NOT firing THEN first_seen_at + interval '600 seconds' END
FROM incidents_alert
WHERE labels->>'pod' LIKE 'stored-%%'
  AND identity IN (
    SELECT encode(sha256(('stored-' || n)::bytea), 'hex')
    FROM generate_series(%(first)s, %(last)s) AS n)
""",
)


def fill(connection: psycopg.Connection, source: str, alerts: int) -> None:
    """`alerts` series with one firing each (1 % still fire) and a delivery for every ten."""
    for first in range(1, alerts + 1, PIECE):
        values = {
            "source": source,
            "first": first,
            "last": min(first + PIECE - 1, alerts),
            "each": ALERTS_PER_DELIVERY,
            "firing": FIRING_PER_MILLE,
        }
        for statement in STATEMENTS:
            connection.execute(statement.encode(), values)
    # what autovacuum would have done by then, and the checkpoint of so much at once
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")
