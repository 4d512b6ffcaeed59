"""Wrong requests, made from the API's own description: every field in turn holds what it must not.

A field is as likely to break a view by being left out, null or of another type as by its value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WRONG: tuple[Any, ...] = (
    None, "", "\0", "x" * 70_000, -1, 2**63, 1e308, True, [None], {"x": None},
    "0001-01-01T00:00:00Z",
)  # fmt: skip
"""Values that are wrong for one type of field or another."""

WRONG_WHOLE: tuple[Any, ...] = (None, [], [{}], "text", 3, True, {}, {"no_such_field": 1})
WRONG_WORDS = ("", "x", "-1", "1e400", "nan", "x" * 5_000, "\0", "0001-01-01T00:00:00Z")
"""Values of a query parameter."""

Schema = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """`path` as the schema names it, with braces; `fields` of the body's top level."""

    method: str
    path: str
    fields: dict[str, Schema]
    required: tuple[str, ...]
    parameters: tuple[str, ...]


def operations(schema: Schema) -> Iterator[Operation]:
    """Every operation of an OpenAPI document."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "post", "put", "patch", "delete"):
                continue
            content = operation.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("schema", {})
            whole = _resolved(schema, body)
            asked = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
            yield Operation(
                method,
                path,
                whole.get("properties", {}),
                tuple(whole.get("required", ())),
                tuple(asked),
            )


def bodies(schema: Schema, operation: Operation) -> Iterator[Any]:
    """Bodies that are wrong as a whole, lack a field, or hold a wrong value in one."""
    yield from WRONG_WHOLE
    good = {name: example(schema, part) for name, part in operation.fields.items()}
    least = {name: good[name] for name in operation.required if name in good}
    yield least
    for name in good:
        yield {other: value for other, value in good.items() if other != name}
        for value in WRONG:
            yield {**least, name: value}


def example(schema: Schema, part: Schema) -> Any:
    """A value of the described type."""
    part = _resolved(schema, part)
    if part.get("enum"):
        return part["enum"][0]
    kind, form = part.get("type"), part.get("format")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object" or "properties" in part:
        inner = part.get("properties", {})
        return {name: example(schema, inner[name]) for name in part.get("required", inner)}
    if kind == "array":
        return [example(schema, part.get("items", {}))]
    simple = {"integer": 1, "number": 0.5, "boolean": True}
    if kind in simple:
        return simple[kind]
    forms = {
        "date-time": "2026-01-01T00:00:00Z",
        "date": "2026-01-01",
        "uuid": "00000000-0000-0000-0000-000000000000",
        "uri": "https://example.com",
        "email": "ada@example.com",
    }
    return forms.get(form or "", "example")


def _resolved(schema: Schema, part: Schema) -> Schema:
    while True:
        if "$ref" in part:
            part = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
            continue
        inner = part.get("allOf") or part.get("oneOf") or part.get("anyOf")
        if not inner:
            return part
        part = inner[0]
