"""Whether `Service.selectors` can be used: its shape is that of `correlation.found_as`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from correlation.cluster.label_selector import selector
from correlation.metrics import profiles
from correlation.metrics.overrides import check_override
from correlation.metrics.profiles import ProfileError
from correlation.models import DataSource
from correlation.sources import KIND_NAMES

MOST_NAMES = 50
MOST_CHARACTERS = 253

_FIELDS = {
    "prometheus": ("names", "profile", "queries"),
    "loki": ("names",),
    "tempo": ("names",),
    "kubernetes": ("names", "namespace", "label_selector"),
}


def problems(value: Any, environment: str) -> dict[str, str]:
    """What is wrong with selectors, in words, by path; "" is the whole. Empty when all is well."""
    if not isinstance(value, dict):
        return {"": "Give an object: names, sources, or a kind of data source."}
    return dict(_problems(value, environment))


def _problems(value: Mapping[str, Any], environment: str) -> Iterator[tuple[str, str]]:
    for key, given in value.items():
        if key == "names":
            yield from _names(key, given)
        elif key == "sources":
            yield from _sources(given, environment)
        elif key not in KIND_NAMES:
            known = ", ".join(("names", "sources", *KIND_NAMES))
            yield str(key), f"is not known here; there are: {known}"
        elif not isinstance(given, dict):
            yield key, f"Give an object with any of {', '.join(_FIELDS[key])}."
        else:
            yield from _kind(key, given)


def _kind(kind: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, value in given.items():
        path = f"{kind}.{field}"
        if field not in _FIELDS[kind]:
            yield path, f"is not known here; there are: {', '.join(_FIELDS[kind])}"
        elif field == "names":
            yield from _names(path, value)
        elif field == "queries":
            yield from _queries(path, value)
        elif not isinstance(value, str) or len(value) > MOST_CHARACTERS:
            yield path, f"Give text of at most {MOST_CHARACTERS} characters."
        elif field == "profile" and value:
            try:
                profiles.load(value)
            except ProfileError as error:
                yield path, str(error)
        elif field == "label_selector":
            try:
                selector(value)
            except ValueError as error:
                yield path, str(error)


def _names(path: str, given: Any) -> Iterator[tuple[str, str]]:
    good = isinstance(given, list) and all(
        isinstance(name, str) and 0 < len(name) <= MOST_CHARACTERS for name in given
    )
    if not good or len(given) > MOST_NAMES:
        yield path, f"Give a list of at most {MOST_NAMES} names."


def _queries(path: str, given: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(given, dict):
        yield path, "Give an object: {signal: PromQL}."
        return
    for signal, query in given.items():
        try:
            check_override(signal, query, "")
        except ValueError as error:
            yield f"{path}.{signal}", str(error).removeprefix(": ")


def _sources(given: Any, environment: str) -> Iterator[tuple[str, str]]:
    if not isinstance(given, list) or not all(isinstance(slug, str) for slug in given):
        yield "sources", "Give a list of data source slugs."
        return
    known = set(
        DataSource.objects.filter(slug__in=given, environment=environment).values_list(
            "slug", flat=True
        )
    )
    unknown = [slug for slug in given if slug not in known]
    if unknown:
        yield "sources", f"There is no data source {', '.join(unknown)} in {environment}."
