"""How batch tasks are written in answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct

from imagesearch.ingest.problems import Problem
from imagesearch.operations.increments import Increment, State

__all__ = ["CheckAnswer", "IncrementRecord", "IncrementsAnswer", "ProblemRecord"]


class ProblemRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A cause: what is wrong and what to do, in English and Chinese.

    ``line`` is the number of the line of increment.meta, if it is about one.
    """

    code: str
    message: str
    fix: str = ""
    message_zh: str = ""
    fix_zh: str = ""
    line: int | None = None

    @classmethod
    def of(cls, problem: Problem) -> ProblemRecord:
        """Describe a problem."""
        return cls(**problem.record())


class CheckAnswer(Struct, frozen=True, kw_only=True):
    """What keeps a task from being carried out."""

    ok: bool
    problems: list[ProblemRecord]

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> CheckAnswer:
        """Describe the outcome of a check."""
        found = [ProblemRecord.of(problem) for problem in problems]
        return cls(ok=not found, problems=found)


class Counts(Struct, frozen=True, kw_only=True):
    """How many of the things that the lines ask for have which outcome."""

    total: int
    done: int
    added: int
    deleted: int
    failed: int


class IncrementRecord(Struct, frozen=True, kw_only=True):
    """A task as it is now; members that have no value yet are null."""

    id: int
    instance: str
    bucket: str
    path: str
    role_arn: str | None
    callback_url: str | None
    state: State
    percent: Annotated[float, Meta(description="0 to 100; 100 only when it is done.")]
    counts: Counts
    queued_behind: Annotated[int, Meta(description="Tasks that must end before this one.")]
    pictures_per_second: float
    seconds_left: int | None
    problem: ProblemRecord | None
    first_errors: Annotated[list[ProblemRecord], Meta(description="At most 20, by line.")]
    line_problems: Annotated[int, Meta(description="Lines for which it was not begun.")]
    error_report: Annotated[
        str | None, Meta(description="Address of every failure as JSON lines, for two hours.")
    ]
    submitted: str | None
    began: str | None
    ended: str | None

    @classmethod
    def of(cls, increment: Increment) -> IncrementRecord:
        """Describe a task."""
        task, problem = increment.task, increment.problem
        return cls(
            id=task.id,
            instance=task.instance,
            bucket=task.bucket,
            path=task.path,
            role_arn=task.role_arn or None,
            callback_url=task.callback_url or None,
            state=increment.state,
            percent=increment.percent,
            counts=Counts(
                total=increment.total,
                done=increment.done,
                added=increment.added,
                deleted=increment.deleted,
                failed=increment.failed,
            ),
            queued_behind=increment.queued_behind,
            pictures_per_second=round(increment.rate, 2),
            seconds_left=None if increment.left is None else round(increment.left),
            problem=ProblemRecord.of(problem) if problem else None,
            first_errors=[ProblemRecord.of(one) for one in increment.first],
            line_problems=increment.problems,
            error_report=increment.report or None,
            submitted=_time(task.id),
            began=_time(increment.began),
            ended=_time(increment.ended),
        )


class IncrementsAnswer(Struct, frozen=True, kw_only=True):
    """Tasks, newest first."""

    increments: list[IncrementRecord]


def _time(micros: int) -> str | None:
    if not micros:
        return None
    moment = datetime.fromtimestamp(micros / 1_000_000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
