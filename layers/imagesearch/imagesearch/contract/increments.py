"""IncreaseInstance and IncreaseList: batch tasks from increment.meta."""

from __future__ import annotations

from typing import Any

from imagesearch.contract.call import Caller
from imagesearch.errors import MissingField
from imagesearch.operations.increment_page import PageIncrements, page_increments
from imagesearch.operations.increments import (
    Increment,
    SubmitIncrement,
    submit_increment,
    trust_role,
)
from imagesearch.operations.instances import NamedInstance

__all__ = ["increase", "increase_list"]

Json = dict[str, Any]

_STATUS = {"done": "SUCCESS", "failed": "FAIL", "cancelled": "FAIL"}


def increase(caller: Caller) -> Json:
    """IncreaseInstance: the id is text here, a number in the list."""
    bucket, path = _needed(caller, "BucketName"), _needed(caller, "Path")
    submitted = submit_increment(
        caller.deployment,
        SubmitIncrement(
            instance=caller.fields.instance,
            bucket=bucket,
            path=path,
            role_arn=_role(caller, bucket),
            callback_url=caller.fields.get("CallbackAddress") or "",
        ),
        most=caller.key.limits.pictures,
        buckets=caller.buckets,
    )
    return {
        "Success": True,
        "Data": {"Id": str(submitted.task.id), "IncrementStatus": _status(submitted)},
    }


def increase_list(caller: Caller) -> Json:
    """IncreaseList, newest first."""
    fields = caller.fields
    page = fields.number("PageNumber", 1, least=1, most=2**31 - 1)
    size = fields.number("PageSize", 10, least=1, most=500)
    wanted = fields.number("Id", 0, least=0, most=2**63 - 1) if fields.get("Id") else None
    found = page_increments(
        caller.deployment,
        PageIncrements(
            instance=fields.instance,
            id=wanted,
            bucket=fields.get("BucketName"),
            path=fields.get("Path"),
            page=page,
            size=size,
        ),
    )
    return {
        "Data": {
            "TotalCount": found.total,
            "PageNumber": page,
            "PageSize": size,
            "Increments": {"Instance": [_task(each) for each in found.increments]},
        }
    }


def _needed(caller: Caller, name: str) -> str:
    value = caller.fields.get(name)
    if value is None:
        raise MissingField(name)
    return value


def _role(caller: Caller, bucket: str) -> str:
    """Return the role to read a bucket with, which the vendor's call does not name.

    It is the one that was registered for the instance last; our own bucket needs none.
    """
    if bucket == caller.deployment.settings.bucket:
        return ""
    roles = trust_role(caller.deployment, NamedInstance(instance=caller.fields.instance)).roles
    return roles[-1] if roles else ""


def _status(increment: Increment) -> str:
    return _STATUS.get(increment.state, "PROCESSING")


def _task(increment: Increment) -> Json:
    task, problem = increment.task, increment.problem
    return {
        "Id": task.id,
        "BucketName": task.bucket,
        "Path": task.path,
        "CallbackAddress": task.callback_url,
        "Code": problem.code if problem else "0" if increment.state == "done" else "",
        "Msg": f"{problem.message} {problem.fix}" if problem else _progress(increment),
        "Status": _status(increment),
        "ErrorUrl": increment.report,
        "UtcCreate": str(task.id // 1000),
        "UtcModified": (increment.ended or increment.changed or task.id) // 1000,
    }


def _progress(increment: Increment) -> str:
    return (
        f"{increment.state}: {increment.done:,} of {increment.total:,} done, "
        f"{increment.failed:,} of them failed"
    )
