"""Submit batch tasks, check and follow them, cancel and resume them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from imagesearch.errors import (
    IncrementEnded,
    IncrementRefused,
    LostRace,
    NoSuchObject,
)
from imagesearch.ingest.finish import first_failures, settle
from imagesearch.ingest.lanes import LaneState, lane_states
from imagesearch.ingest.plan import shape
from imagesearch.ingest.preflight import Checked, Wanted, faults, inspect
from imagesearch.ingest.problems import Problem
from imagesearch.ingest.roles import Trust, TrustRegister
from imagesearch.ingest.tasks import Ended, Plan, Stop, Task, TaskKeys, Tasks, exists, found
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import OperationFields
from imagesearch.operations.instances import NamedInstance
from imagesearch.operations.workshop import Buckets, workshop

__all__ = [
    "Increment",
    "ListIncrements",
    "NamedIncrement",
    "State",
    "SubmitIncrement",
    "cancel_increment",
    "check_increment",
    "list_increments",
    "resume_increment",
    "show_increment",
    "submit_increment",
    "trust_role",
]

State = Literal["queued", "planning", "running", "stopping", "done", "failed", "cancelled"]
LINKED_SECONDS = 2 * 3600
"""For how long a report's address leads to it, as with the vendor."""
_READING = 12.0


class SubmitIncrement(OperationFields, frozen=True, kw_only=True):
    """What a task is to read, with which role, and whom to tell when it has ended."""

    bucket: str
    path: str
    role_arn: str = ""
    bucket_owner: Annotated[str, Meta(pattern=r"^(\d{12})?$")] = ""
    callback_url: str = ""

    @property
    def wanted(self) -> Wanted:
        """Return the submission as the preflight takes it."""
        return Wanted(
            bucket=self.bucket,
            path=self.path,
            role_arn=self.role_arn,
            bucket_owner=self.bucket_owner,
            callback_url=self.callback_url,
        )


class NamedIncrement(OperationFields, frozen=True, kw_only=True):
    """Names a task."""

    id: int


class ListIncrements(OperationFields, frozen=True, kw_only=True):
    """Asks for an instance's tasks, the newest first, those below ``before``."""

    before: int | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Increment:
    """A task as it is now.

    ``state`` is queued, planning, running, stopping, done, failed or cancelled; the counts are
    of what the lines ask for. Times are in µs since 1970, 0 where there is none yet. ``rate`` is
    in pictures per second since the task began, ``left`` an estimate in seconds.
    """

    task: Task
    state: State
    total: int
    added: int = 0
    deleted: int = 0
    failed: int = 0
    began: int = 0
    ended: int = 0
    changed: int = 0
    queued_behind: int = 0
    problem: Problem | None = None
    first: tuple[Problem, ...] = ()
    problems: int = 0
    report: str = ""

    @property
    def done(self) -> int:
        """Return how many items have an outcome."""
        return self.added + self.deleted + self.failed

    @property
    def percent(self) -> float:
        """Return how much has an outcome, 0 to 100; 100 only when it ended well."""
        if self.state == "done":
            return 100.0
        return min(99.9, round(100 * self.done / self.total, 1)) if self.total else 0.0

    @property
    def rate(self) -> float:
        """Return items per second."""
        until = self.ended or self.changed
        return self.done / ((until - self.began) / 1e6) if 0 < self.began < until else 0.0

    @property
    def left(self) -> float | None:
        """Return the estimated seconds to the end, if anything is known."""
        if self.state != "running" or not self.rate:
            return None
        return (self.total - self.done) / self.rate


def check_increment(
    deployment: Deployment, request: SubmitIncrement, *, buckets: Buckets | None = None
) -> list[Problem]:
    """Return everything that keeps a submission from being taken; nothing is started."""
    wanted, settings = request.wanted, deployment.settings
    own, private = settings.bucket, settings.private_callbacks
    deployment.instances.get(request.instance)
    problems = [Problem.of(e) for e in faults(wanted, own_bucket=own, private=private)]
    if problems:
        return problems
    try:
        checked = _inspected(deployment, request, buckets)
    except IncrementRefused as error:
        return [Problem.of(error)]
    return checked.flaws.shown


def submit_increment(
    deployment: Deployment,
    request: SubmitIncrement,
    *,
    idempotency_key: str | None = None,
    most: int | None = None,
    buckets: Buckets | None = None,
) -> Increment:
    """Queue a task; it begins when those submitted before it have ended.

    With ``most`` it adds no picture to an instance that holds as many: such a line fails.
    Raises an :class:`IncrementRefused` leaf that says what is wrong. Lines that there is no time
    to check now are checked before anything of the task is carried out.
    """
    wanted, settings = request.wanted, deployment.settings
    for error in faults(wanted, own_bucket=settings.bucket, private=settings.private_callbacks):
        raise error
    checked = _inspected(deployment, request, buckets)
    if checked.flaws.total:
        raise checked.flaws.refusal(checked.read)
    instance = deployment.instances.get(request.instance)
    shop = workshop(deployment, buckets=buckets)
    tasks = Tasks.of(deployment.store, instance)
    lanes, chunk = shape(checked.lines, settings.ingest_lanes)
    task, new = tasks.add(
        Task(
            id=shop.now(),
            instance=instance.name,
            incarnation=instance.incarnation,
            bucket=request.bucket,
            path=request.path,
            role_arn=request.role_arn,
            bucket_owner=request.bucket_owner,
            callback_url=request.callback_url,
            meta_key=checked.meta.key,
            meta_size=checked.meta.size,
            meta_etag=checked.meta.etag,
            lines=checked.lines,
            lanes=lanes,
            chunk=chunk,
            most=most or 0,
        ),
        idempotency_key or "",
    )
    if new:
        deployment.store.put(task.keys.todo("begin-submitted"), b"")
    return _seen(deployment, task, tasks)


def _inspected(
    deployment: Deployment, request: SubmitIncrement, buckets: Buckets | None
) -> Checked:
    deployment.instances.doubt(request.instance)
    instance = deployment.instances.get(request.instance)
    source = (buckets or Buckets(deployment)).open(
        instance, request.bucket, request.path, request.role_arn, request.bucket_owner
    )
    return inspect(source, request.path, seconds=_READING)


def show_increment(deployment: Deployment, request: NamedIncrement) -> Increment:
    """Return a task as it is now."""
    tasks = _tasks(deployment, request.instance)
    return _seen(deployment, tasks.get(request.id), tasks)


def list_increments(deployment: Deployment, request: ListIncrements) -> list[Increment]:
    """Return tasks, newest first."""
    tasks = _tasks(deployment, request.instance)
    ids = [n for n in tasks.ids() if request.before is None or n < request.before]
    return list(_each(deployment, tasks, ids[: request.limit]))


def _each(deployment: Deployment, tasks: Tasks, ids: list[int]) -> Iterator[Increment]:
    for number in ids:
        yield _seen(deployment, tasks.get(number), tasks)


def cancel_increment(deployment: Deployment, request: NamedIncrement) -> Increment:
    """Stop a task: what is written stays, nothing more is begun. One that ended is left alone."""
    tasks = _tasks(deployment, request.instance)
    task = tasks.get(request.id)
    if not exists(deployment.store, task.keys.ended):
        try:
            order = msgspec.json.encode(Stop(state="cancelled"))
            deployment.store.put_if_absent(task.keys.stop, order)
        except LostRace:
            pass  # it stops already, for another reason
        settle(workshop(deployment), task)
    return _seen(deployment, task, tasks)


def resume_increment(deployment: Deployment, request: NamedIncrement) -> Increment:
    """Go on with a task that was cancelled or has failed, where it stopped.

    Raises :class:`IncrementEnded` for one that is done. One that runs is given a push.
    """
    tasks, store = _tasks(deployment, request.instance), deployment.store
    task = tasks.get(request.id)
    ended = found(store, task.keys.ended, Ended)
    if ended and ended.state == "done":
        raise IncrementEnded(f"task {task.id} is done: there is nothing to go on with.")
    if ended:
        # In this order a resumption that breaks off leaves the task ended.
        store.delete([task.keys.stop])
        store.put(task.keys.open, b"")
        store.delete([task.keys.ended])
    store.put(task.keys.todo("begin-resumed"), b"")
    return _seen(deployment, task, tasks)


def trust_role(
    deployment: Deployment, request: NamedInstance, *, add: str = "", remove: str = ""
) -> Trust:
    """Show or change which roles an instance may read buckets with. For operators only."""
    instance = deployment.instances.get(request.instance)
    register = TrustRegister(deployment.store)
    if add or remove:
        return register.change(instance, add=add, remove=remove)
    return register.of(instance)


def _tasks(deployment: Deployment, instance: str) -> Tasks:
    deployment.instances.doubt(instance)
    return Tasks.of(deployment.store, deployment.instances.get(instance))


def _seen(deployment: Deployment, task: Task, tasks: Tasks) -> Increment:
    store, keys = deployment.store, task.keys
    if ended := found(store, keys.ended, Ended):
        return Increment(
            task=task,
            state=ended.state,
            total=ended.items,
            added=ended.added,
            deleted=ended.deleted,
            failed=ended.failed,
            began=ended.began,
            ended=ended.ended,
            problem=ended.problem,
            first=ended.first,
            problems=ended.problems,
            report=_link(deployment, keys) if ended.failed else "",
        )
    stop = found(store, keys.stop, Stop)
    plan = found(store, keys.plan, Plan)
    if plan is None:
        return _not_begun(deployment, task, tasks, stop)
    lanes = lane_states(store, keys.lanes)
    return Increment(
        task=task,
        state="stopping" if stop else "running",
        total=plan.items,
        added=sum(lane.added for lane in lanes),
        deleted=sum(lane.deleted for lane in lanes),
        failed=sum(lane.failed for lane in lanes),
        began=plan.began,
        changed=max((lane.changed for lane in lanes), default=0),
        problem=stop.problem if stop else None,
        first=first_failures(lanes),
    )


def _not_begun(deployment: Deployment, task: Task, tasks: Tasks, stop: Stop | None) -> Increment:
    planning = found(deployment.store, task.keys.planning, LaneState)
    state: State = "stopping" if stop else "planning" if planning else "queued"
    behind = [n for n in tasks.open_ids() if n < task.id]
    return Increment(
        task=task,
        state=state,
        total=task.lines,
        queued_behind=len(behind),
        problem=stop.problem if stop else None,
    )


def _link(deployment: Deployment, keys: TaskKeys) -> str:
    try:
        deployment.store.head(keys.report)
    except NoSuchObject:
        return ""
    return deployment.store.presign_get(keys.report, seconds=LINKED_SECONDS)
