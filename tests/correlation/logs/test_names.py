"""Words that stand for each other in different messages are names."""

from __future__ import annotations

import pytest

from correlation.logs.merging import merged
from correlation.logs.shapes import Shape, shape


def _templates(*texts: str) -> set[str]:
    return {" ".join(found) for found in merged({shape(text) for text in texts}).values()}


def test_names_shared_by_two_different_messages_become_a_variable() -> None:
    texts = [f"queue {name} drained by hand" for name in ("mail", "print")]
    texts += [f"cannot open queue {name}, disk full" for name in ("mail", "print")]

    assert _templates(*texts) == {"queue <*> drained by hand", "cannot open queue <*> , disk full"}


def test_two_words_in_one_message_are_no_names() -> None:
    texts = [f"queue {name} drained by hand" for name in ("mail", "print")]

    assert _templates(*texts) == set(texts)


def test_what_happened_is_no_name_however_many_messages_share_it() -> None:
    texts = [f"session {what} for amy" for what in ("opened", "closed")]
    texts += [f"the door was {what} at noon, said bob" for what in ("opened", "closed")]

    assert len(_templates(*texts)) == len(texts)


@pytest.mark.parametrize(("names", "expected"), [(("ale", "gin"), 4), (("ale", "gin", "rum"), 2)])
def test_messages_alike_but_for_one_word_must_share_three(
    names: tuple[str, ...], expected: int
) -> None:
    texts = [f"{name} {state} for the guests" for name in names for state in ("ready", "late")]

    assert len(_templates(*texts)) == expected


def test_a_known_name_is_one_where_it_stands_beside_a_value() -> None:
    words: list[Shape] = [
        shape(f"link from {zone}:<addr> to core is up") for zone in ("inner", "outer", "guest")
    ]

    found = set(merged(words).values())

    assert found == {shape("link from <addr> to core is up")}
