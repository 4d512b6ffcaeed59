"""What a change could break, read off lines, files and title, in several languages."""

from __future__ import annotations

import pytest

from correlation.changes.hazards import read_change
from correlation.telemetry import Change


def make_change(title: str = "work", diff: str = "", *files: str) -> Change:
    return Change("c", "", "commit", 0.0, title, diff=diff, files=files)


@pytest.mark.parametrize(
    ("hazard", "diff"),
    [
        ("guard_removed", "-    if user is None:\n-        return None\n     return user.name"),
        ("guard_removed", "-  return a?.b?.c;\n+  return a.b.c;"),
        ("calls_in_loop", " for row in rows:\n+    owner = session.query(Owner).get(row.owner)"),
        ("calls_in_loop", "+  const all = ids.map(id => client.fetch(id));"),
        ("batching_removed", "-  all = Order.objects.select_related('by')\n+  all = Order.objects"),
        ("index_dropped", "+DROP INDEX trips_by_rider;"),
        ("schema_changed", "+ALTER TABLE bills ADD COLUMN memo text NOT NULL DEFAULT '';"),
        ("cleanup_removed", "-  defer rows.Close()"),
        ("grows_without_bound", "+  seen.add(request.id)"),
        ("unlock_removed", "-  mu.Unlock()"),
        ("blocks", "+    time.sleep(2)"),
        ("parallel_removed", "-  await Promise.all(jobs.map(run));\n+  for (const j of jobs) j();"),
        ("condition_turned", "-  if (left < right) {\n+  if (left <= right) {"),
        ("timeout_shorter", "-  read_timeout: 10s\n+  read_timeout: 300ms"),
        ("pool_smaller", "-hikari.maximumPoolSize=30\n+hikari.maximumPoolSize=2"),
        ("cache_weaker", "-  cache_ttl: 1h\n+  cache_ttl: 5s"),
        ("memory_less", "-    memory: 2Gi\n+    memory: 256Mi"),
        ("fewer_replicas", "-  replicas: 8\n+  replicas: 2"),
        ("retries_up", "-retries = 2\n+retries = 20"),
        ("limit_lower", "-rate_limit: 500\n+rate_limit: 20"),
        ("setting_removed", "-  SMTP_RELAY: mail.internal"),
        ("trust", "-  caBundle: root-7\n+  caBundle: root-8"),
    ],
)  # fmt: skip
def test_hazard_is_seen_in_a_diff(hazard: str, diff: str) -> None:
    found = read_change(make_change("work", diff, "app/x.src"))

    assert hazard in {one.hazard.name for one in found.hazards}
    assert found.harmless == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (make_change("docs", "+words", "docs/a.md", "README.md"), "touches no file that runs"),
        (make_change("cover", "+assert x", "pay/test_refund.py"), "touches no file that runs"),
        (make_change("bigger button", "-a{}\n+b{}", "web/a.css"), "touches looks alone"),
        (make_change("words", "-# a\n+# b", "a.py"), "edits comments and white space alone"),
        (make_change("style: gofmt"), "says it edits nothing that runs"),
        (make_change("", "-import os\n+import sys", "a.py"), "edits imports and brackets alone"),
        (make_change("count", "+    HITS.inc()", "a.py"), "only adds measurements"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_harmless_change_says_why(change: Change, why: str) -> None:
    found = read_change(change)

    assert (found.harmless, found.hazards) == (why, ())


def test_small_step_of_a_setting_is_a_small_hazard() -> None:
    small = read_change(make_change("", "-cache_entries: 50000\n+cache_entries: 60000"))
    large = read_change(make_change("", "-cache_entries: 50000\n+cache_entries: 5000000"))

    assert small.hazards[0].strength < 0.2 < 0.9 < large.hazards[0].strength


def test_name_that_only_contains_a_word_is_not_that_setting() -> None:
    found = read_change(make_change("catalog_planner off->on"))

    assert "verbose" not in {one.hazard.name for one in found.hazards}


def test_title_alone_is_worth_less_than_lines() -> None:
    title = read_change(make_change("lower client timeout"))
    lines = read_change(make_change("", "-timeout: 10s\n+timeout: 1s"))

    assert title.hazards[0].hazard.name == lines.hazards[0].hazard.name == "timeout_shorter"
    assert title.hazards[0].strength < lines.hazards[0].strength
