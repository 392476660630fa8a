"""Promises are shown by tests that ran, and by no others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.promises import PAGES, Promises, named, unshown

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


def ended(name: str, outcome: str) -> pytest.TestReport:
    return pytest.TestReport(
        name, ("", 0, ""), {}, outcome, None, "setup" if outcome == "skipped" else "call"
    )


@pytest.mark.parametrize(
    ("full", "outcome", "status"),
    [
        (True, "passed", pytest.ExitCode.OK),
        (True, "skipped", pytest.ExitCode.TESTS_FAILED),
        (False, "skipped", pytest.ExitCode.OK),
    ],
)
def test_a_full_run_fails_for_a_promise_that_was_not_shown(
    full: bool, outcome: str, status: pytest.ExitCode
) -> None:
    promises = Promises(full=full)
    for name in promises.names:
        promises.pytest_runtest_logreport(ended(name, "passed"))
    promises.pytest_runtest_logreport(ended(min(promises.names), outcome))
    session: Any = SimpleNamespace(config=SimpleNamespace(), exitstatus=pytest.ExitCode.OK)
    promises.pytest_sessionfinish(session, pytest.ExitCode.OK)
    assert session.exitstatus == status
