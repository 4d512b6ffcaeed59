from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incidents.backfill.files import read
from incidents.intake.received import Unacceptable

NOW = datetime(2026, 5, 2, tzinfo=UTC)
CSV = """starts_at,ends_at,alertname,service,annotation.summary
2026-05-01T03:00:00Z,2026-05-01T03:20:00Z,Slow,checkout,"slow, very"
2026-05-01T04:00:00Z,,Slow,,
yesterday,,Slow,checkout,
2026-05-01T05:00:00Z,2026-05-01T04:00:00Z,Slow,checkout,
2026-05-01T05:00:00Z,short
"""


def write_json(folder: Path, body: Any) -> Path:
    path = folder / "alerts.json"
    path.write_text(json.dumps(body))
    return path


def test_csv_is_read_row_by_row_and_names_the_lines_it_refuses(tmp_path: Path) -> None:
    path = tmp_path / "alerts.csv"
    path.write_text(CSV)

    contents = read(path, NOW)

    assert [(dict(f.labels), f.ends_at, dict(f.annotations)) for f in contents.firings] == [
        (
            {"alertname": "Slow", "service": "checkout"},
            datetime(2026, 5, 1, 3, 20, tzinfo=UTC),
            {"summary": "slow, very"},
        ),
        ({"alertname": "Slow"}, None, {}),
    ]
    assert contents.refused == [
        "line 4.startsAt: is not an RFC 3339 time",
        "line 5.endsAt: is before startsAt",
        "line 6: is no alert, or has not one cell for each column",
    ]


def test_json_takes_a_list_or_a_webhook_and_no_end_of_what_fires(tmp_path: Path) -> None:
    alert = {
        "labels": {"alertname": "Slow"},
        "startsAt": "2026-05-01T03:00:00Z",
        "endsAt": "2026-05-01T03:20:00Z",
    }
    both = [{**alert, "status": "resolved"}, {**alert, "status": "firing"}]

    listed = read(write_json(tmp_path, [alert]), NOW)
    webhook = read(write_json(tmp_path, {"alerts": both}), NOW)

    end = datetime(2026, 5, 1, 3, 20, tzinfo=UTC)
    assert [f.ends_at for f in listed.firings] == [end]
    assert [f.ends_at for f in webhook.firings] == [end, None]


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.txt", ""), ("a.json", "{"), ("a.json", "{}"), ("a.csv", "alertname\nSlow\n")],
)
def test_file_that_is_no_history_is_refused_whole(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(Unacceptable, match=r"a[.]"):
        read(path, NOW)


def test_entry_over_the_limits_of_a_delivery_is_refused(tmp_path: Path, settings: Any) -> None:
    settings.INTAKE_MAX_LABELS, settings.INTAKE_MAX_LABEL_LENGTH = 2, 20
    at = {"startsAt": "2026-05-01T03:00:00Z", "endsAt": "2026-05-01T03:20:00Z"}
    labels = [{"a": "1", "b": "2", "c": "3"}, {"a": "x" * 21}, {"a": "1", "b": "2"}]

    contents = read(write_json(tmp_path, [{"labels": one, **at} for one in labels]), NOW)

    assert [dict(firing.labels) for firing in contents.firings] == [{"a": "1", "b": "2"}]
    assert contents.refused == [
        "alerts[0]: 3 labels are more than INTAKE_MAX_LABELS (2)",
        "alerts[1]: the label a is longer than INTAKE_MAX_LABEL_LENGTH (20)",
    ]


def test_csv_spaces_after_commas_do_not_count_and_nameless_columns_are_not_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "alerts.csv"
    path.write_text(
        "starts_at, ends_at, alertname,,\n2026-05-01T03:00:00Z, 2026-05-01T03:20:00Z, Slow,x,\n"
    )

    contents = read(path, NOW)

    assert [(dict(f.labels), f.ends_at) for f in contents.firings] == [
        ({"alertname": "Slow"}, datetime(2026, 5, 1, 3, 20, tzinfo=UTC))
    ]
    assert contents.refused == []


def test_json_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alerts.json"
    path.write_text("[" * 100_000)

    with pytest.raises(Unacceptable, match=r"^alerts.json: cannot be read: "):
        read(path, NOW)


def test_csv_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alerts.csv"
    path.write_text("starts_at,alertname,alertname\n2026-05-01T03:00:00Z,A,B\n")

    with pytest.raises(Unacceptable, match=r"has the column alertname more than once$"):
        read(path, NOW)
