"""Imports point one way: functions -> operations -> rooms -> catalogue -> storage."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/imagesearch/imagesearch"

EVERYWHERE = {"errors", "limits", "reach", "settings", "strictjson", "observe"}
MAY_IMPORT = {
    "storage": set(),
    "catalogue": {"storage"},
    "vision": {"catalogue", "storage"},
    "words": set(),
    "index": {"catalogue", "storage"},
    "engines": {"catalogue", "index"},
    "ingest": {"catalogue", "storage", "index", "vision"},
    "operations": {"catalogue", "storage", "index", "engines", "vision", "words", "ingest"},
    "contract": {"catalogue", "operations", "storage", "http"},
    "openapi": {"routes", "http"},
    "routes": {"operations"},
    "page": {"http"},
    "http": set(),
    "errors": set(),
    "limits": set(),
    "reach": set(),
    "strictjson": set(),
    "settings": set(),
    "observe": set(),
}
# The one file of its room that puts the parts together.
WIRING = {"operations/deployment.py"}


def imported(source: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
    return found


def rooms(modules: set[str], package: str) -> set[str]:
    return {m.split(".")[1] for m in modules if m.startswith(f"{package}.")}


@pytest.mark.parametrize(
    "source", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_a_room_imports_only_the_rooms_below_it(source: Path) -> None:
    room = source.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    reached = rooms(imported(source), "imagesearch") - {room} - EVERYWHERE
    if str(source.relative_to(PACKAGE)) in WIRING:
        reached -= {"storage"}
    assert reached <= MAY_IMPORT[room], f"{source} reaches up or sideways"


@pytest.mark.parametrize("source", sorted(PACKAGE.rglob("*.py")), ids=str)
def test_nothing_imports_the_local_runner(source: Path) -> None:
    assert not any(m.split(".")[0] == "imagesearch_local" for m in imported(source))


@pytest.mark.parametrize("app", sorted((ROOT / "functions").glob("*/app.py")), ids=str)
def test_functions_are_thin_and_enter_by_operations(app: Path) -> None:
    allowed = {"http", "openapi", "operations", "contract", "observe", "page", "settings"}
    assert rooms(imported(app), "imagesearch") <= allowed
