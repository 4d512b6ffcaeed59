"""Where `backfill_incidents` reads from: a Prometheus, Alertmanagers or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from correlation import alert_history
from correlation.backends.prometheus import PrometheusClient
from correlation.data_sources.catalogue import source_of
from correlation.models import DataSource
from correlation.sources import http_arguments
from incidents.backfill import files
from incidents.backfill.histories import Firing
from incidents.backfill.progress import Progress
from incidents.intake.received import Unacceptable
from incidents.models import Alertmanager
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from incidents.outbound.secrets import SecretMissing
from incidents.upkeep.alertmanager_api import held_alerts
from incidents.upkeep.comparison import ACTIVE
from incidents.upkeep.reconcile import DEADLINE_SECONDS, client, receivers


class AskedWrongly(Exception):
    """What was asked for is not there or cannot be asked; says what."""


class Unanswered(Exception):
    """A source did not answer, or not usably; nothing is concluded. Says which and why."""


@dataclass(frozen=True)
class History:
    """What was read, as it was until `until`. `is_now`: what has no end fires, and its sender
    will tell of the end. `refused` says of each entry that could not be taken why."""

    firings: list[Firing]
    until: datetime
    is_now: bool = False
    refused: tuple[str, ...] = ()


def of_prometheus(
    slug: str,
    start: datetime,
    end: datetime,
    step_seconds: float,
    labels: Mapping[str, str],
    warn: Callable[[str], object],
    progress: Callable[[int, str], Progress],
) -> History:
    """Raises AskedWrongly, Unanswered."""
    row = DataSource.objects.filter(slug=slug, kind=DataSource.Kind.PROMETHEUS).first()
    if row is None:
        raise AskedWrongly(f"There is no Prometheus among the data sources named {slug}.")
    source = source_of(row)
    if source.closed_because:
        raise AskedWrongly(f"The data source {slug} cannot be used: {source.closed_because}")
    prometheus = PrometheusClient(source.url, **http_arguments(source))
    asked = alert_history.pieces(start.timestamp(), end.timestamp(), step_seconds)
    bar = progress(len(asked), "requests")
    try:
        found = alert_history.firings(prometheus, asked, step_seconds, labels, warn, bar.step)
    except BackendError as error:
        raise Unanswered(f"The data source {slug}: {error.detail}") from error
    return History(found, end)


def of_alertmanagers(slug: str, now: datetime) -> History:
    """What those of the alert source hold, keep quiet in no way and, where it is known which
    receivers are ours, send to us. Raises AskedWrongly, Unanswered."""
    rows = Alertmanager.objects.filter(source__slug=slug, enabled=True)
    servers = list(rows.select_related("source").order_by("url"))
    if not servers:
        raise AskedWrongly(
            f"No Alertmanager is set up for the alert source {slug}: set ALERTMANAGER_URL, or "
            "add one on Alerts > Alertmanagers."
        )
    ours = receivers(servers[0].source, servers)
    found = []
    for server in servers:
        try:
            body = client(server).get_json("/api/v2/alerts", {}, Deadline(DEADLINE_SECONDS))
            held = held_alerts(body)
        except BackendError as error:
            raise Unanswered(f"The Alertmanager {server.url}: {error.detail}") from error
        except Unacceptable as error:
            raise Unanswered(f"{server.url} answered what is no Alertmanager's: {error}") from error
        except (SecretMissing, ValueError) as error:
            raise AskedWrongly(str(error)) from error
        found += [
            Firing(
                labels=one.alert.labels,
                starts_at=min(one.alert.starts_at or now, now),
                ends_at=None,
                annotations=one.alert.annotations,
                generator_url=one.alert.generator_url,
                fingerprint=one.alert.fingerprint,
            )
            for one in held
            if one.state == ACTIVE
            and not one.quieted_by
            and (not ours or ours.intersection(one.receivers))
        ]
    return History(found, now, is_now=True)


def of_file(path: Path, now: datetime) -> History:
    """Raises AskedWrongly."""
    try:
        contents = files.read(path, now)
    except (OSError, Unacceptable) as error:
        raise AskedWrongly(str(error)) from error
    return History(contents.firings, now, refused=tuple(contents.refused))
