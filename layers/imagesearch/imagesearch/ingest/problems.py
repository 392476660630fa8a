"""What is wrong with a batch task: one entry a cause, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from imagesearch.errors import ImageSearchError, IncrementRefused, InvalidLines

__all__ = ["SHOWN", "Flaws", "Problem"]

SHOWN = 20
"""Lines with problems that are named; the total is always told."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One cause. ``line`` is the number of the line of increment.meta, if it is about one."""

    code: str
    message: str
    fix: str
    message_zh: str = ""
    fix_zh: str = ""
    line: int | None = None

    @classmethod
    def of(cls, error: ImageSearchError, line: int | None = None) -> Problem:
        """Describe a failure."""
        if isinstance(error, IncrementRefused):
            return cls(error.code, error.detail, error.fix, error.detail_zh, error.fix_zh, line)
        return cls(error.code, error.detail, error.fix, line=line)

    def record(self) -> dict[str, Any]:
        """Return the problem as a JSON object without what it does not have."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in found.items() if value not in (None, "")}


@dataclass(slots=True)
class Flaws:
    """The first problems with lines, and how many there are in all."""

    shown: list[Problem] = field(default_factory=list)
    total: int = 0

    def add(self, error: IncrementRefused, line: int) -> None:
        """Count one more."""
        self.total += 1
        if len(self.shown) < SHOWN:
            self.shown.append(Problem.of(error, line))

    def refusal(self, checked: int) -> InvalidLines:
        """Return the failure that says how many lines are wrong."""
        return LinesRefused(self, checked)


class LinesRefused(InvalidLines):
    """increment.meta has lines that cannot be carried out."""

    def __init__(self, flaws: Flaws, checked: int) -> None:
        """Keep the problems for the answer."""
        super().__init__(
            f"{flaws.total:,} of the {checked:,} lines checked cannot be carried out; "
            f"the first is line {flaws.shown[0].line}: {flaws.shown[0].message}",
            f"已检查 {checked:,} 行，其中 {flaws.total:,} 行无法执行；"
            f"第一处在第 {flaws.shown[0].line} 行：{flaws.shown[0].message_zh}",
        )
        self.flaws = flaws

    def particulars(self) -> dict[str, Any]:
        """Return the first problems and their number."""
        return {
            **super().particulars(),
            "problems": [problem.record() for problem in self.flaws.shown],
            "problems_total": self.flaws.total,
        }
