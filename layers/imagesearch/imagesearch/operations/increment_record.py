"""How a batch task is written in an answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from imagesearch.operations.increments import Increment

__all__ = ["increment_record"]


def increment_record(increment: Increment) -> dict[str, Any]:
    """Return the task as a JSON object; members that have no value yet are ``null``."""
    task, problem = increment.task, increment.problem
    return {
        "id": task.id,
        "instance": task.instance,
        "bucket": task.bucket,
        "path": task.path,
        "role_arn": task.role_arn or None,
        "callback_url": task.callback_url or None,
        "state": increment.state,
        "percent": increment.percent,
        "counts": {
            "total": increment.total,
            "done": increment.done,
            "added": increment.added,
            "deleted": increment.deleted,
            "failed": increment.failed,
        },
        "queued_behind": increment.queued_behind,
        "pictures_per_second": round(increment.rate, 2),
        "seconds_left": None if increment.left is None else round(increment.left),
        "problem": problem.record() if problem else None,
        "first_errors": [one.record() for one in increment.first],
        "line_problems": increment.problems,
        "error_report": increment.report or None,
        "submitted": _time(task.id),
        "began": _time(increment.began),
        "ended": _time(increment.ended),
    }


def _time(micros: int) -> str | None:
    if not micros:
        return None
    moment = datetime.fromtimestamp(micros / 1_000_000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
