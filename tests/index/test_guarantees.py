"""Every promise in docs/guarantees.md names a test, and that test exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guarantees.md").read_text()


def promises() -> list[tuple[str, list[str]]]:
    rows = re.findall(r"^\| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    return [(promise, tests.split(" · ")) for promise, tests in rows if promise != "Promise"]


def test_every_promise_names_its_tests() -> None:
    assert len(promises()) > 25
    for promise, tests in promises():
        assert all(re.fullmatch(r"`tests/[\w/]+\.py::\w+`", test) for test in tests), promise


def test_every_named_test_exists() -> None:
    for _, tests in promises():
        for test in tests:
            file, _, name = test.strip("`").partition("::")
            tree = ast.parse((ROOT / file).read_text())
            assert name in named(tree), test


def named(tree: ast.Module) -> set[str]:
    found = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            found |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return found
