"""docs/configuration.md names every variable that the settings read, and no other."""

from __future__ import annotations

import ast
import re

from tests.servers.studio import ROOT

READERS = {"text", "boolean", "number", "integer", "seconds", "listing", "networks", "url"}
READ_ELSEWHERE = {"STUDIO_ADMIN_PASSWORD"}


def test_configuration_page_lists_exactly_the_variables_read() -> None:
    modules = sorted((ROOT / "reliability_studio").glob("*settings.py"))
    trees = [ast.parse(module.read_text()) for module in modules]
    page = (ROOT / "docs" / "configuration.md").read_text()

    read = {
        node.args[0].value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in READERS
        and isinstance(node.args[0], ast.Constant)
    }

    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == read | READ_ELSEWHERE
