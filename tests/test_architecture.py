"""The layout of DESIGN.md, enforced: who may import whom, and what is pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# each app may import those before it
ORDER = ["accounts", "incidents", "timeline", "correlation", "slos"]
# pure whether or not the ranking reaches them; a folder stands for all that is in it
PURE = [
    "incidents/intake/placement.py",
    "incidents/intake/steps.py",
    "correlation/telemetry_codec.py",
    "correlation/ranking_text.py",
    "correlation/calibration.py",
    "incidents/intake/matchers.py",
    "incidents/pattern_safety.py",
    "incidents/notify/answers.py",
    "incidents/notify/bundling.py",
    "incidents/notify/matching.py",
    "incidents/notify/messages/cloudevents.py",
    "incidents/notify/messages/pagerduty.py",
    "incidents/notify/messages/slack.py",
    "incidents/outbound/ranges.py",
    "incidents/stats/figures.py",
    "incidents/stats/periods.py",
    "incidents/stats/plot.py",
    "incidents/upkeep/quieting.py",
    "incidents/upkeep/spans.py",
    "correlation/rules/words.py",
    "correlation/logs/line_joining.py",
    "correlation/evaluation/log_accuracy.py",
    "correlation/memory/fingerprint.py",
    "correlation/explaining/explanation.py",
    "correlation/cluster/view.py",
    "correlation/plots/drawing.py",
    "correlation/steps",
    "slos/burn.py",
    "slos/impact.py",
    "slos/periods.py",
    "slos/definition.py",
    "slos/promql.py",
    "slos/sloth_rules.py",
    "slos/openslo",
]
RANKING = "correlation/ranking.py"
# what the ranking's core may not touch: it is a function of its arguments
IMPURE = {"django", "rest_framework", "celery", "channels", "requests", "redis", "psycopg"}
SETTINGS_READERS = {"tests/settings.py", "reliability_studio/settings.py"}


@dataclass(frozen=True)
class Import:
    module: str
    function: str | None  # the innermost function it stands in

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]


def imports_of(source: str, module: str = "") -> list[Import]:
    """Every import of the source, absolute names; `module` is its own dotted name."""
    found: list[Import] = []

    def visit(node: ast.AST, function: str | None) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.extend(Import(alias.name, function) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                parent = module.split(".")[: -child.level] if child.level else []
                name = ".".join([*parent, *([child.module] if child.module else [])])
                found.extend(Import(f"{name}.{alias.name}", function) for alias in child.names)
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            visit(child, child.name if inside else function)

    visit(ast.parse(source), None)
    return found


def sources_of(package: str) -> Iterator[Path]:
    return (
        path for path in sorted((ROOT / package).rglob("*.py")) if "migrations" not in path.parts
    )


def read_imports(path: Path) -> list[Import]:
    relative = path.relative_to(ROOT)
    return imports_of(path.read_text(), ".".join(relative.with_suffix("").parts))


def is_excepted(path: Path, found: Import) -> bool:
    """AppConfig.ready and tasks may import later, inside a function."""
    return found.function is not None and (
        (path.name == "apps.py" and found.function == "ready") or path.name == "tasks.py"
    )


def forbidden_imports(path: Path, forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {found.module}"
        for found in read_imports(path)
        if found.package in forbidden and not is_excepted(path, found)
    ]


@pytest.mark.parametrize("app", ORDER)
def test_app_imports_only_the_apps_before_it(app: str) -> None:
    later = set(ORDER[ORDER.index(app) + 1 :])

    wrong = [line for path in sources_of(app) for line in forbidden_imports(path, later)]

    assert wrong == []


def test_lab_and_apps_import_nothing_of_each_other() -> None:
    ours = {*ORDER, "reliability_studio", "django"}

    wrong = [line for path in sources_of("lab") for line in forbidden_imports(path, ours)]
    for app in [*ORDER, "reliability_studio"]:
        wrong += [line for path in sources_of(app) for line in forbidden_imports(path, {"lab"})]

    assert wrong == []


def test_product_imports_no_tests() -> None:
    packages = [*ORDER, "reliability_studio", "lab"]

    wrong = [
        line
        for package in packages
        for path in sources_of(package)
        for line in forbidden_imports(path, {"tests"})
    ]

    assert wrong == []


def reached(entrance: str) -> set[Path]:
    """The entrance and every module of its app that it imports, directly or not."""
    app = Path(entrance).parts[0]
    found: set[Path] = set()
    waiting = [ROOT / entrance]
    while waiting:
        path = waiting.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        for one in read_imports(path):
            if one.package == app:
                module = ROOT.joinpath(*one.module.split("."))
                waiting += [module.with_suffix(".py"), module.parent.with_suffix(".py")]
    return found


def pure_sources() -> set[Path]:
    listed = [path for name in PURE for path in (ROOT / name, *sources_of(name)) if path.is_file()]
    return reached(RANKING).union(*(reached(str(path.relative_to(ROOT))) for path in listed))


def test_pure_modules_import_nothing_that_does_io() -> None:
    sources = sorted(pure_sources())

    wrong = [line for path in sources for line in forbidden_imports(path, IMPURE)]

    assert len(sources) > 60  # the ranking alone reaches as many
    assert wrong == []


def test_settings_module_is_read_through_django_only() -> None:
    packages = [*ORDER, "reliability_studio", "tests"]

    readers = {
        str(path.relative_to(ROOT))
        for package in packages
        for path in sources_of(package)
        for found in read_imports(path)
        if re.match(r"reliability_studio\.(\w+_)?settings\b", found.module)
    }

    assert readers == SETTINGS_READERS


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned(name: str) -> None:
    lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]

    loose = [
        line
        for line in lines
        if line
        and not line.startswith("-r ")
        and not re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[\w.]+", line)
    ]

    assert loose == []


def test_imports_of_finds_relative_nested_and_plain_imports() -> None:
    source = "import a.b\nfrom c import d\ndef f():\n    from . import e\n    from .g import h\n"

    found = imports_of(source, "app.sub.module")

    assert found == [
        Import("a.b", None),
        Import("c.d", None),
        Import("app.sub.e", "f"),
        Import("app.sub.g.h", "f"),
    ]
