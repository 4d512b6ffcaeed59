"""OpenSLO v1 files to definitions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slos.burn import Policy
from slos.definition import (
    Definition,
    Indicator,
    Latency,
    Ratio,
    Threshold,
    Wrong,
    usual_policies,
)
from slos.openslo.tree import Branch, Refused, documents
from slos.openslo.words import (
    LATENCY_HISTOGRAM,
    LATENCY_SECONDS,
    LEAST_EVENTS,
    PROMETHEUS,
    SHORT_WINDOW,
    VERSION,
)
from slos.periods import SECONDS, Period

KINDS = ("DataSource", "SLO", "SLI", "AlertPolicy", "AlertCondition", "Service")
SHORT_OF_LONG = 12  # the workbook's short windows are a twelfth of the long ones


@dataclass(frozen=True)
class Metric:
    """A query and the data source it names."""

    query: str
    source: str


@dataclass(frozen=True)
class Located:
    """An SLO, and where in the file it stands."""

    definition: Definition
    document: Branch

    def refuse(self, field: str, why: str) -> Refused:
        """The refusal of one of our fields ("service", "indicator.good") at its place."""
        spec = self.document.branch("spec")
        part, _, rest = field.partition(".")
        why = f"{rest}: {why}" if rest else why
        if part == "name":
            return self.document.branch("metadata").refuse("name", why)
        keys = {"target": "objectives", "period": "timeWindow", "policies": "alertPolicies"}
        if part in ("indicator", "data_source"):
            return spec.refuse("indicator" if spec.has("indicator") else "indicatorRef", why)
        return spec.refuse(keys.get(part, part), why)


def read(text: str) -> list[Definition]:
    """The SLOs of a file, in its order; raises Refused with the line of what we cannot do.

    Services and data sources are named, not made: whoever stores the definitions looks them up.
    """
    return [located.definition for located in locate(text)]


def locate(text: str) -> list[Located]:
    """As `read`, with the place of each; raises Refused."""
    named: dict[tuple[str, str], Branch] = {}
    slos: list[Branch] = []
    for document in documents(text):
        version = document.text("apiVersion")
        if version != VERSION:
            raise document.refuse("apiVersion", f"must be {VERSION}, not {version!r}.")
        kind = document.text("kind")
        if kind not in KINDS:
            raise document.refuse("kind", f"{kind!r} is not supported.")
        document.only("apiVersion", "kind", "metadata", "spec")
        name = document.branch("metadata").text("name")
        if (kind, name) in named:
            raise document.refuse("metadata", f"a second {kind} named {name!r}.")
        named[kind, name] = document
        if kind == "SLO":
            slos.append(document)
    return [_slo(document, named) for document in slos]


def _slo(document: Branch, named: dict[tuple[str, str], Branch]) -> Located:
    metadata, spec = _metadata(document), document.branch("spec")
    spec.only(
        "description", "service", "indicator", "indicatorRef", "timeWindow", "budgetingMethod",
        "objectives", "alertPolicies",
    )  # fmt: skip
    if spec.text("budgetingMethod") != "Occurrences":
        raise spec.refuse("budgetingMethod", "only Occurrences is supported.")
    objective = _one(spec, "objectives")
    objective.only("displayName", "op", "value", "target", "targetPercent")
    indicator, source = _indicator(_sli(spec, named), objective)
    period = _period(spec)
    policies = tuple(_policy(branch, named) for branch in spec.branches("alertPolicies"))
    target = _target(objective)
    definition = Definition(
        name=metadata.text("name"),
        display_name=metadata.text("displayName", ""),
        description=spec.text("description", ""),
        service=spec.text("service"),
        indicator=indicator,
        target=target,
        period=period,
        data_source=source,
        least_events=_least_events(metadata),
        policies=policies if spec.has("alertPolicies") else usual_policies(period, target),
        labels=metadata.texts("labels"),
    )
    located = Located(definition, document)
    try:
        definition.check()
    except Wrong as wrong:
        raise located.refuse(wrong.field, wrong.why) from None
    return located


def _metadata(document: Branch) -> Branch:
    metadata = document.branch("metadata")
    metadata.only("name", "displayName", "labels", "annotations")
    return metadata


def _one(spec: Branch, key: str) -> Branch:
    items = spec.branches(key)
    if len(items) != 1:
        raise spec.refuse(key, f"exactly one is supported, not {len(items)}.")
    return items[0]


def _target(objective: Branch) -> float:
    if objective.has("target") == objective.has("targetPercent"):
        raise objective.refuse("target", "give either target or targetPercent.")
    if objective.has("target"):
        return objective.number("target")
    return round(objective.number("targetPercent") / 100, 15)


def _period(spec: Branch) -> Period:
    window = _one(spec, "timeWindow")
    window.only("duration", "isRolling", "calendar")
    rolling = window.truth("isRolling", default=not window.has("calendar"))
    if rolling == window.has("calendar"):
        raise window.refuse("isRolling", "true without a calendar, false with one.")
    zone, anchor = "UTC", None
    if not rolling:
        calendar = window.branch("calendar")
        calendar.only("startTime", "timeZone")
        zone = calendar.text("timeZone")
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise calendar.refuse("timeZone", f"{zone!r} is no IANA time zone.") from None
        try:
            anchor = datetime.fromisoformat(calendar.text("startTime"))
        except ValueError:
            raise calendar.refuse("startTime", "must be like 2026-01-31 00:00:00.") from None
    try:
        return Period.parse(window.text("duration"), rolling=rolling, time_zone=zone, anchor=anchor)
    except ValueError as error:
        raise window.refuse("duration", str(error)) from None


def _least_events(metadata: Branch) -> float:
    if LEAST_EVENTS not in metadata.texts("annotations"):
        return 1.0
    return metadata.branch("annotations").number(LEAST_EVENTS)


def _sli(spec: Branch, named: dict[tuple[str, str], Branch]) -> Branch:
    if spec.has("indicator") == spec.has("indicatorRef"):
        raise spec.refuse("indicator", "give either indicator or indicatorRef.")
    if spec.has("indicator"):
        return spec.branch("indicator")
    return _referred(spec, "indicatorRef", "SLI", named)


def _referred(branch: Branch, key: str, kind: str, named: dict[tuple[str, str], Branch]) -> Branch:
    name = branch.text(key)
    found = named.get((kind, name))
    if found is None:
        raise branch.refuse(key, f"there is no {kind} named {name!r} in this file.")
    return found


def _indicator(sli: Branch, objective: Branch) -> tuple[Indicator, str]:
    metadata, spec = _metadata(sli), sli.branch("spec")
    spec.only("description", "ratioMetric", "thresholdMetric")
    if spec.has("ratioMetric") == spec.has("thresholdMetric"):
        raise spec.refuse("ratioMetric", "give either ratioMetric or thresholdMetric.")
    if spec.has("thresholdMetric"):
        return _threshold(spec, objective)
    for key in ("op", "value"):
        if objective.has(key):
            raise objective.refuse(key, "belongs to a thresholdMetric only.")
    ratio = spec.branch("ratioMetric")
    ratio.only("counter", "good", "bad", "total")
    if not ratio.truth("counter", default=False):
        raise ratio.refuse("counter", "only counters are supported: true.")
    if ratio.has("good") == ratio.has("bad"):
        raise ratio.refuse("good", "give either good or bad.")
    kind = "good" if ratio.has("good") else "bad"
    part, total = _metric(ratio.branch(kind)), _metric(ratio.branch("total"))
    if part.source != total.source:
        raise ratio.refuse("total", f"both must name one data source, not {total.source!r} too.")
    annotations = metadata.texts("annotations")
    if LATENCY_SECONDS in annotations and LATENCY_HISTOGRAM in annotations:
        seconds = metadata.branch("annotations").number(LATENCY_SECONDS)
        return Latency(annotations[LATENCY_HISTOGRAM], seconds), total.source
    queries = {kind: part.query}
    return Ratio(total.query, queries.get("good", ""), queries.get("bad", "")), total.source


def _threshold(spec: Branch, objective: Branch) -> tuple[Indicator, str]:
    metric = _metric(spec.branch("thresholdMetric"))
    return Threshold(metric.query, objective.text("op"), objective.number("value")), metric.source


def _metric(branch: Branch) -> Metric:
    branch.only("metricSource")
    source = branch.branch("metricSource")
    source.only("metricSourceRef", "type", "spec")
    kind = source.text("type", PROMETHEUS)
    if kind.lower() != PROMETHEUS.lower():
        raise source.refuse("type", f"{kind!r} is not supported; only {PROMETHEUS} is.")
    spec = source.branch("spec")
    spec.only("query")
    return Metric(spec.text("query"), source.text("metricSourceRef", ""))


def _policy(branch: Branch, named: dict[tuple[str, str], Branch]) -> Policy:
    if branch.has("alertPolicyRef"):
        branch.only("alertPolicyRef")
        branch = _referred(branch, "alertPolicyRef", "AlertPolicy", named)
    spec = branch.branch("spec")
    spec.only(
        "description", "alertWhenNoData", "alertWhenResolved", "alertWhenBreaching", "conditions"
    )
    condition = _one(spec, "conditions")
    if condition.has("conditionRef"):
        condition.only("conditionRef")
        condition = _referred(condition, "conditionRef", "AlertCondition", named)
    metadata, inner = _metadata(condition), condition.branch("spec")
    inner.only("description", "severity", "condition")
    burn = inner.branch("condition")
    burn.only("kind", "op", "threshold", "lookbackWindow", "alertAfter")
    if burn.text("kind", "burnrate") != "burnrate":
        raise burn.refuse("kind", "only burnrate is supported.")
    if burn.text("op", "gt") != "gt":
        raise burn.refuse("op", "only gt is supported: a policy fires above its burn rate.")
    if burn.text("alertAfter", "0m") != "0m":
        raise burn.refuse("alertAfter", f"only 0m is supported; annotate {SHORT_WINDOW} instead.")
    long = _seconds(burn, "lookbackWindow", burn.text("lookbackWindow"))
    short = metadata.texts("annotations").get(SHORT_WINDOW)
    severity = inner.text("severity")
    if severity not in ("page", "ticket"):
        raise inner.refuse("severity", f"page or ticket, not {severity!r}.")
    short_seconds = _seconds(metadata, "annotations", short) if short else long / SHORT_OF_LONG
    return Policy(severity, long, short_seconds, burn.number("threshold"))


def _seconds(branch: Branch, key: str, text: str) -> float:
    try:
        period = Period.parse(text)
    except ValueError as error:
        raise branch.refuse(key, str(error)) from None
    return period.count * SECONDS[period.unit]
