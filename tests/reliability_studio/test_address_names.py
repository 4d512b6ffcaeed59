"""Names of addresses: `{% url %}` takes the last address of a name, whatever page asks."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver


def named(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    """Names that stand in no namespace, each with its route."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield pattern.name, route
        elif not pattern.namespace:
            yield from named(pattern, route)


def test_no_name_is_of_a_page_and_of_the_api() -> None:
    found = list(named(get_resolver()))

    of_the_api = {name for name, route in found if route.startswith("api/")}
    of_pages = {name for name, route in found if not route.startswith("api/")}

    assert of_the_api
    assert of_the_api & of_pages == set()
