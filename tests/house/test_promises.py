"""Promises are shown by tests that ran, and by no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promises import PAGES, named, unshown

ROOT = Path(__file__).parents[2]
RAN = {
    "tests/a/test_x.py::test_one": "passed",
    "tests/a/test_x.py::test_two[1]": "passed",
    "tests/a/test_x.py::test_two[2]": "skipped",
    "tests/a/test_x.py::TestM::runTest": "passed",
    "tests/b/test_y.py::test_one_more": "failed",
}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tests/a/test_x.py::test_one", None),
        ("tests/a/test_x.py::TestM", None),
        ("tests/a/test_x.py::test_two", "skipped (2 tests)"),
        ("tests/a", "skipped (4 tests)"),
        ("tests/b/test_y.py", "failed (1 tests)"),
        ("tests/b/test_y.py::test_one", "was not run"),
        ("tests/c", "was not run"),
    ],
)
def test_a_promise_needs_a_test_that_ran_and_passed(name: str, why: str | None) -> None:
    assert unshown([name], RAN) == ({} if why is None else {name: why})


def test_the_pages_name_tests() -> None:
    for page in PAGES:
        assert len(named((ROOT / page).read_text("utf-8"))) > 10


def test_this_run_is_watched(pytestconfig: pytest.Config) -> None:
    if hasattr(pytestconfig, "workerinput"):
        pytest.skip("watched by the process that leads")
    assert pytestconfig.pluginmanager.hasplugin("promises")
