"""Diffs and titles read as edits: settings with their old and new value, lines on either side."""

from __future__ import annotations

import pytest

from correlation.changes.diffs import Setting, read_diff, told_settings


@pytest.mark.parametrize(
    ("diff", "before", "after", "ratio"),
    [
        ("-  ttl: 15m\n+  ttl: 15s", "15m", "15s", 1 / 60),
        ("-TTL: 2*time.Hour\n+TTL: 2*time.Minute", "2*time.Hour", "2*time.Minute", 1 / 60),
        ("-db.SetMaxOpenConns(50)\n+db.SetMaxOpenConns(5)", "50", "5", 0.1),
        ("-OPTS=-Xmx2g\n+OPTS=-Xmx512m", "2g", "512m", 0.25),
        ("-const LIMIT_MS = 30_000\n+const LIMIT_MS = 300", "30_000", "300", 0.01),
        ("-D.ofSeconds(30)\n+D.ofMillis(300)", "30 Second", "300 Milli", 0.01),
        ('-  cpu: "4"\n+  cpu: 400m', "4", "400m", 0.1),
        ("-keep: 0\n+keep: 5", "0", "5", float("inf")),
    ],
)  # fmt: skip
def test_setting_is_read_with_its_units(diff: str, before: str, after: str, ratio: float) -> None:
    (setting,) = read_diff(diff).settings

    assert (setting.before, setting.after) == (before, after)
    assert setting.ratio == pytest.approx(ratio)


def test_switch_is_read_as_turned() -> None:
    (setting,) = read_diff("-cache_enabled: true\n+cache_enabled: false").settings

    assert (setting.before, setting.after, setting.turned) == ("true", "false", -1)


def test_name_on_the_line_before_belongs_to_the_value() -> None:
    (setting,) = read_diff(' - name: POOL_SIZE\n-  value: "40"\n+  value: "4"').settings

    assert "POOL_SIZE" in setting.name


def test_version_numbers_are_no_settings() -> None:
    assert read_diff("-\tgolang.org/x/text v0.14.0\n+\tgolang.org/x/text v0.14.1").settings == ()


def test_comments_and_moved_lines_are_no_edits() -> None:
    diff = read_diff("-# old words\n+# new words\n-  call()\n+    call()\n+// more")

    assert diff.empty


def test_headers_are_no_lines() -> None:
    diff = read_diff("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-one\n+two")

    assert (diff.removed, diff.added) == (("one",), ("two",))


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("search_v2 off->on", (Setting("search_v2", "off", "on", None, 1),)),
        ("max_connections 200 -> 20", (Setting("max_connections", "200", "20", 0.1),)),
        ("client timeout from 5s to 250ms", (Setting("client timeout", "5s", "250ms", 0.05),)),
        ("checkout v2.4.1", ()),
    ],
)
def test_title_tells_settings(title: str, found: tuple[Setting, ...]) -> None:
    assert told_settings(title) == found


def test_anything_is_read_without_an_error() -> None:
    assert read_diff("\x00+@@ -\n+++\n-").settings == ()
