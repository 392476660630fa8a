"""Whether the tests that a page of promises names were really run, and passed.

A promise is worth as much as its test; one that was renamed, deselected or skipped shows nothing.
When all tests are run (no files, no ``-k``, no ``-m``), the run fails unless every test that
docs/guarantees.md or docs/security.md names has passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

__all__ = ["PAGES", "Promises", "named", "unshown"]

ROOT = Path(__file__).parents[1]
PAGES = ("docs/guarantees.md", "docs/security.md")
_TEST = re.compile(r"`(tests/[\w./]+(?:::\w+)*)`")


def named(text: str) -> set[str]:
    """Return the tests, classes, files and folders that a page names."""
    return set(_TEST.findall(text))


def unshown(names: Iterable[str], outcomes: Mapping[str, str]) -> dict[str, str]:
    """Return the names that nothing stands behind, and why. ``outcomes`` are by test."""
    found: dict[str, str] = {}
    for name in sorted(names):
        own = [outcome for test, outcome in outcomes.items() if _is_of(test, name)]
        if not own:
            found[name] = "was not run"
        elif bad := sorted({outcome for outcome in own if outcome != "passed"}):
            found[name] = f"{' and '.join(bad)} ({len(own)} tests)"
    return found


def _is_of(test: str, name: str) -> bool:
    rest = test.removeprefix(name)
    return rest != test and (not rest or rest[0] in "[:/")


class Promises:
    """A pytest plugin; ``full`` tells whether all tests are asked for."""

    def __init__(self, *, full: bool) -> None:
        self.full = full
        self.names = {n for page in PAGES for n in named((ROOT / page).read_text("utf-8"))}
        self.outcomes: dict[str, str] = {}
        self.problems: dict[str, str] = {}

    @classmethod
    def of(cls, config: pytest.Config) -> Promises:
        """Return the plugin for a run."""
        chosen = any(config.getoption(name, None) for name in ("keyword", "markexpr", "lf"))
        every = config.args_source is pytest.Config.ArgsSource.TESTPATHS
        return cls(full=every and not chosen and not config.getoption("collectonly"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended; a failure of any of its phases counts."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = report.outcome

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail a full run in which a promise was not shown."""
        if self.full and not hasattr(session.config, "workerinput"):
            self.problems = unshown(self.names, self.outcomes)
            if self.problems and exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how many promises were shown, and which were not."""
        if not self.full:
            return
        shown = len(self.names) - len(self.problems)
        terminalreporter.section("promises")
        terminalreporter.line(f"{shown} of {len(self.names)} named tests have passed")
        for name, why in self.problems.items():
            terminalreporter.line(f"UNSHOWN {name}: {why}")
