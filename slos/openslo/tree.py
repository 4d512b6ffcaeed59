"""A YAML file read strictly: every value knows its path and line, unread fields are refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

MAX_BYTES = 1_000_000


class Refused(ValueError):
    """`path` and `line` (from 1) of what cannot be imported, and why."""

    def __init__(self, path: str, line: int, why: str) -> None:
        self.path, self.line, self.why = path, line, why
        super().__init__(f"line {line}, {path}: {why}")


@dataclass(frozen=True)
class Branch:
    """A mapping, with what has been read of it still to be told apart from what has not."""

    node: yaml.MappingNode
    path: str

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    def refuse(self, key: str, why: str) -> Refused:
        found = self._find(key)
        line = found[0].start_mark.line + 1 if found else self.line
        return Refused(f"{self.path}.{key}" if self.path else key, line, why)

    def only(self, *known: str) -> None:
        """Raises Refused for the first field that is none of these."""
        for key, _ in self.node.value:
            if key.value not in known:
                raise self.refuse(key.value, "is not supported.")

    def has(self, key: str) -> bool:
        return self._find(key) is not None

    def text(self, key: str, default: str | None = None) -> str:
        found = self._find(key)
        if found is None:
            if default is None:
                raise self.refuse(key, "is missing.")
            return default
        if not isinstance(found[1], yaml.ScalarNode):
            raise self.refuse(key, "must be text.")
        return str(found[1].value)

    def number(self, key: str) -> float:
        text = self.text(key)
        try:
            return float(text)
        except ValueError:
            raise self.refuse(key, f"must be a number, not {text!r}.") from None

    def truth(self, key: str, default: bool | None = None) -> bool:
        if default is not None and not self.has(key):
            return default
        text = self.text(key).lower()
        if text not in ("true", "false"):
            raise self.refuse(key, "must be true or false.")
        return text == "true"

    def branch(self, key: str) -> Branch:
        found = self._find(key)
        if found is None:
            raise self.refuse(key, "is missing.")
        if not isinstance(found[1], yaml.MappingNode):
            raise self.refuse(key, "must be a mapping.")
        return Branch(found[1], f"{self.path}.{key}" if self.path else key)

    def branches(self, key: str) -> list[Branch]:
        found = self._find(key)
        if found is None:
            return []
        if not isinstance(found[1], yaml.SequenceNode):
            raise self.refuse(key, "must be a list.")
        made: list[Branch] = []
        for index, node in enumerate(found[1].value):
            path = f"{self.path}.{key}[{index}]"
            if not isinstance(node, yaml.MappingNode):
                raise Refused(path, node.start_mark.line + 1, "must be a mapping.")
            made.append(Branch(node, path))
        return made

    def texts(self, key: str) -> dict[str, str]:
        """A mapping of text to text, empty where it is not given."""
        if not self.has(key):
            return {}
        inner = self.branch(key)
        return {name.value: inner.text(name.value) for name, _ in inner.node.value}

    def _find(self, key: str) -> tuple[yaml.Node, yaml.Node] | None:
        found = [(name, value) for name, value in self.node.value if name.value == key]
        if len(found) > 1:
            line = found[1][0].start_mark.line + 1
            raise Refused(f"{self.path}.{key}", line, "is given twice.")
        return found[0] if found else None


def documents(text: str) -> Sequence[Branch]:
    """The mappings of a file of one or more documents; raises Refused for what is not YAML.

    Aliases are refused: a small file could stand for a huge one.
    """
    if len(text.encode()) > MAX_BYTES:
        raise Refused("file", 1, f"is larger than {MAX_BYTES} bytes.")
    try:
        for token in yaml.scan(text):
            if isinstance(token, yaml.AliasToken):
                raise Refused("file", token.start_mark.line + 1, "aliases are not supported.")
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Refused("file", line, f"is not YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise Refused("file", 1, f"is not YAML: {error}.") from None
    return list(_mappings(node for node in nodes if node is not None))


def _mappings(nodes: Iterator[yaml.Node]) -> Iterator[Branch]:
    for node in nodes:
        if not isinstance(node, yaml.MappingNode):
            raise Refused("file", node.start_mark.line + 1, "a document must be a mapping.")
        yield Branch(node, "")
