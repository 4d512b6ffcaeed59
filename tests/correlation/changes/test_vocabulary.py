"""The vocabulary is data: what ships is sound, what is not is refused by name."""

from __future__ import annotations

import copy
from importlib.resources import files
from typing import Any

import pytest
import yaml

from correlation.changes.vocabulary import BadVocabulary, parse, shipped


def document() -> dict[str, Any]:
    text = files("correlation").joinpath("rulepacks/changes.yaml").read_text(encoding="utf-8")
    return copy.deepcopy(yaml.safe_load(text))


def test_shipped_vocabulary_names_each_thing_once() -> None:
    names = [hazard.name for hazard in shipped().hazards]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"explains": {"weather": 1.0}}, "hazards.raises.explains: there is no symptom weather"),
        ({"colour": "red"}, "hazards.raises.colour is not a field of a hazard"),
        ({"moves": ["sideways"]}, "hazards.raises.moves: use down, off, on, up"),
    ],
)
def test_unsound_hazard_is_refused(edit: dict[str, Any], message: str) -> None:
    told = document()
    next(one for one in told["hazards"] if one["name"] == "raises").update(edit)

    with pytest.raises(BadVocabulary) as refused:
        parse(told)

    assert str(refused.value) == message


def test_pattern_that_does_not_compile_is_refused() -> None:
    told = document()
    told["symptoms"]["oom"]["text"] = "("

    with pytest.raises(BadVocabulary, match=r"symptoms\.oom\.text"):
        parse(told)
