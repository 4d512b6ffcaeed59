"""Make, change and end SLOs: checked by themselves and against their source, then written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError

from accounts.models import User
from correlation.models import DataSource
from incidents.models import Service
from incidents.models.catalogue import PRODUCTION
from slos import tasks
from slos.checking.judging import Verdict, verdict
from slos.checking.looking import look
from slos.definition import Wrong, usual_policies
from slos.models import SLO
from slos.stored import period, policy_json

COLUMNS = (
    "name",
    "display_name",
    "description",
    "service",
    "data_source",
    "indicator",
    "target",
    "period",
    "rolling",
    "time_zone",
    "anchor",
    "least_events",
    "policies",
    "labels",
    "enabled",
)
ASKED_ANEW = {"indicator", "data_source", "service"}
RESERVED = {"new", "import", "check", "policies"}
"""Names that addresses of ours have."""


class Refused(Exception):
    """What cannot be saved: sentences by field."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        self.errors = {name: list(words) for name, words in errors.items()}
        super().__init__("; ".join(f"{n}: {' '.join(w)}" for n, w in self.errors.items()))


class Overtaken(Exception):
    """The row is at another version than the one that was read."""

    def __init__(self, row: SLO, version: int) -> None:
        self.version = row.version
        super().__init__(f"{row.name} is at version {row.version}, not {version}.")


class HasHistory(Exception):
    """An SLO that has counted something is disabled, not deleted."""


@dataclass(frozen=True)
class Kept:
    """What was saved, and what is worth knowing of it."""

    slo: SLO
    warnings: tuple[str, ...]


def candidate(columns: Mapping[str, Any], of: SLO | None = None) -> SLO:
    """An unsaved SLO of these columns over those of `of`; without policies it gets the usual
    ones. Raises Refused for what cannot be an SLO by itself."""
    given = {name: getattr(of, name) for name in COLUMNS} if of is not None else {}
    row = SLO(**{**given, **columns})
    try:
        if of is None and "policies" not in columns:
            span = period(row.period, row.rolling, row.time_zone, row.anchor)
            row.policies = [policy_json(one) for one in usual_policies(span, row.target)]
        row.definition().check()
        row.clean_fields(exclude=["service", "data_source", "created_by"])
    except Wrong as wrong:
        raise Refused({wrong.field: [_sentence(wrong.why)]}) from None
    except ValidationError as error:
        raise Refused(error.message_dict) from None
    if row.name in RESERVED:
        raise Refused({"name": [f"{row.name!r} is an address of ours; choose another name."]})
    return row


def examined(rows: Sequence[SLO]) -> list[Verdict]:
    """What their sources say of candidates, now."""
    looked = look(rows, time.time())
    return [verdict(row.definition(), looked[row.pk]) for row in rows]


def create(columns: Mapping[str, Any], *, by: User | None, accept_no_data: bool = False) -> Kept:
    """Raises Refused. Where no source answers it is saved all the same, with a warning."""
    row = candidate(columns)
    refuse_taken(row)
    warnings = heeded(examined([row])[0], accept_no_data=accept_no_data)
    row.created_by = by
    with transaction.atomic():
        insert(row)
    return Kept(row, warnings)


def change(
    row: SLO,
    columns: Mapping[str, Any],
    *,
    version: int | None = None,
    accept_no_data: bool = False,
) -> Kept:
    """Raises Refused or Overtaken. The source is asked only where another query is the result."""
    if columns.get("name", row.name) != row.name:
        raise Refused({"name": ["An SLO keeps its name: rules and alerts carry it."]})
    made = candidate(columns, row)
    changed = differing(row, made)
    warnings: tuple[str, ...] = ()
    if made.enabled and (ASKED_ANEW & changed or (not row.enabled)):
        warnings = heeded(examined([made])[0], accept_no_data=accept_no_data)
    with transaction.atomic():
        update(row, made, changed, version)
    return Kept(row, warnings)


def remove(row: SLO, version: int | None = None) -> None:
    """Delete an SLO that never counted anything; raises HasHistory, Overtaken."""
    with transaction.atomic():
        claim(row, version)
        if row.samples.exists():
            raise HasHistory
        try:
            row.delete()
        except ProtectedError:
            raise HasHistory from None


def heeded(found: Verdict, *, accept_no_data: bool) -> tuple[str, ...]:
    """The warnings of a verdict that keeps nobody from saving; raises Refused."""
    if found.errors:
        raise Refused({name: [why] for name, why in found.errors.items()})
    if found.no_data and not accept_no_data:
        raise Refused(
            {
                **{name: [why] for name, why in found.no_data.items()},
                "accept_no_data": ["Set it to save the SLO although there is no data yet."],
            }
        )
    return (*(f"{name}: {why}" for name, why in found.no_data.items()), *found.warnings)


def differing(row: SLO, other: SLO) -> set[str]:
    """The columns in which the two differ."""
    names = [f"{name}_id" if name in ("service", "data_source") else name for name in COLUMNS]
    found = {name for name in names if getattr(row, name) != getattr(other, name)}
    return {name.removesuffix("_id") for name in found}


def refuse_taken(row: SLO) -> None:
    if SLO.objects.filter(name=row.name).exists():
        raise Refused({"name": [f"There is an SLO named {row.name} already."]})


def insert(row: SLO) -> None:
    """Write a candidate that has been examined, inside a transaction; raises Refused."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        refuse_taken(row)
        raise
    count_soon(row)


def update(row: SLO, made: SLO, changed: set[str], version: int | None) -> None:
    """Write what differs as the next version, inside a transaction; raises Overtaken.

    Nothing is written where nothing differs.
    """
    if not changed:
        if version is not None and version != row.version:
            raise Overtaken(row, version)
        return
    claim(row, version)
    for name in changed:
        setattr(row, name, getattr(made, name))
    # the columns that the evaluation writes are left alone
    row.save(update_fields=[*sorted(changed), "version", "updated_at"])
    count_soon(row)


def claim(row: SLO, version: int | None) -> None:
    """Take the next version; raises Overtaken when the row is not at `version`, if one is given."""
    rows = SLO.objects.filter(pk=row.pk)
    expected = rows if version is None else rows.filter(version=version)
    if not expected.update(version=F("version") + 1):
        row.refresh_from_db()
        raise Overtaken(row, version or 0)
    row.version = rows.values_list("version", flat=True).get()


def count_soon(row: SLO) -> None:
    key = str(row.pk)
    transaction.on_commit(lambda: tasks.take_up.delay(key), robust=True)


def service_named(slug: str, environment: str = "") -> Service:
    """Of namesakes that of production, where no environment is named; raises Refused."""
    found = list(Service.objects.filter(slug=slug).order_by("environment"))
    wanted = environment or PRODUCTION
    for service in found:
        if service.environment == wanted:
            return service
    if not found:
        raise Refused({"service": [f"There is no service {slug[:100]!r} in the catalogue."]})
    if environment:
        where = ", ".join(service.environment for service in found)
        raise Refused({"environment": [f"{slug} is not there; it is in: {where}."]})
    return found[0]


def data_source_named(slug: str) -> DataSource | None:
    """None for ""; raises Refused for one that is no Prometheus."""
    if not slug:
        return None
    found = DataSource.objects.filter(slug=slug).first()
    if found is None:
        raise Refused({"data_source": [f"There is no data source {slug[:60]!r}."]})
    if found.kind != DataSource.Kind.PROMETHEUS:
        raise Refused({"data_source": [f"{slug} is no Prometheus."]})
    return found


def _sentence(why: str) -> str:
    return why[:1].upper() + why[1:]
