from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.chain import START, canonical, digest

# a short alphabet: building the full Unicode table takes seconds
words = st.text('aZ0 "\\\n\x7fé\u2028🚒', max_size=6)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)


def test_canonical_sorts_keys_and_writes_our_types() -> None:
    at = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))

    text = canonical(
        {"b": {"z": 1, "a": [True, None]}, "at": at, "id": UUID(int=1), "cost": Decimal("1.50")}
    )

    assert text == (
        '{"at":"2026-03-01T10:00:00.000005Z","b":{"a":[true,null],"z":1},'
        '"cost":"1.50","id":"00000000-0000-0000-0000-000000000001"}'
    )


def test_canonical_drops_nul_and_keeps_other_characters() -> None:
    assert canonical({"te\x00xt": "a\x00é\n"}) == '{"text":"aé\\n"}'


def test_canonical_survives_a_lone_surrogate() -> None:
    assert canonical({"text": "\ud800"}) == '{"text":"?"}'


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), [float("-inf")], Decimal("NaN"), datetime(2026, 1, 1)],  # noqa: DTZ001
)
def test_canonical_refuses_values_without_one_meaning(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        canonical({"value": value})


def test_canonical_refuses_keys_that_collide() -> None:
    with pytest.raises(ValueError, match="two keys"):
        canonical({"a": 1, "a\x00": 2})


def test_canonical_refuses_unknown_types() -> None:
    with pytest.raises(TypeError):
        canonical({"value": {1, 2}})


@given(st.dictionaries(words, json_values))
def test_canonical_does_not_depend_on_key_order(entry: dict[str, Any]) -> None:
    assert canonical(entry) == canonical(dict(reversed(entry.items())))


def test_digest_links_to_the_previous_entry() -> None:
    first = digest(START, "{}")

    assert first == hashlib.sha256(b"\n{}").hexdigest()
    assert digest(first, "{}") == hashlib.sha256(f"{first}\n{{}}".encode()).hexdigest()


def test_canonical_of_now_is_in_utc() -> None:
    now = datetime.now(UTC)

    assert canonical({"at": now}) == f'{{"at":"{now:%Y-%m-%dT%H:%M:%S.%f}Z"}}'
