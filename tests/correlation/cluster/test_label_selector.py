from __future__ import annotations

import pytest

from correlation.cluster.label_selector import selector

LABELS = {"app": "cart", "tier": "backend", "example.com/team": "shop"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=cart", True),
        ("app==cart,tier=backend", True),
        ("app=cart, tier=frontend", False),
        ("app!=bank", True),
        ("zone!=a", True),
        ("app in (cart, bank)", True),
        ("app in (bank),tier=backend", False),
        ("app notin (bank)", True),
        ("zone notin (a)", True),
        ("zone in (a)", False),
        ("tier", True),
        ("!tier", False),
        ("!zone", True),
        ("example.com/team=shop", True),
        ("app=", False),
    ],
)
def test_selector_matches_as_kubectl_does(text: str, matches: bool) -> None:
    assert selector(text)(LABELS) is matches


@pytest.mark.parametrize("text", ["app=!x,,", "app=cart,,tier", "app in cart", "=x", "a b"])
def test_selector_names_what_it_cannot_read(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        selector(text)
