"""End a task: exactly one end, then what follows from it, however often this is begun anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from imagesearch.errors import ImageSearchError, LostRace
from imagesearch.ingest.callback import deliver
from imagesearch.ingest.house import Workshop
from imagesearch.ingest.lanes import Failure, LaneState, lane_states, merged
from imagesearch.ingest.problems import Problem
from imagesearch.ingest.tasks import Ended, Plan, Stop, Task, Tasks, exists, found, read
from imagesearch.observe import logger
from imagesearch.storage import ObjectStore

__all__ = ["fail", "settle", "settle_after", "tidy"]


def fail(shop: Workshop, task: Task, error: ImageSearchError) -> None:
    """Order a task to stop because of something that trying again will not cure."""
    first: tuple[Problem, ...] = ()
    stop = Stop(state="failed", problem=Problem.of(error))
    flaws = getattr(error, "flaws", None)
    if flaws is not None:
        first = tuple(flaws.shown)
    try:
        shop.store.put_if_absent(task.keys.stop, msgspec.json.encode(stop))
    except LostRace:
        return  # it was told to stop before
    if flaws is not None:
        _end(shop, task, stop, [], first=first, problems=flaws.total)
        tidy(shop, task)


def settle(shop: Workshop, task: Task) -> bool:
    """End the task if all lanes are finished, or if it is to stop and nobody works on it.

    Of several who finish at once the last to change a lane sees all of them finished, so none is
    forgotten; any number may end the task.
    """
    if exists(shop.store, task.keys.ended):
        tidy(shop, task)
        return True
    stop = found(shop.store, task.keys.stop, Stop)
    planned = found(shop.store, task.keys.plan, Plan) is not None
    lanes = lane_states(shop.store, task.keys.lanes)
    complete = planned and all(lane.finished for lane in lanes)
    if not complete and (stop is None or _anybody_works(shop, task, lanes)):
        return False
    _end(shop, task, None if complete else stop, lanes)
    tidy(shop, task)
    return True


def settle_after(shop: Workshop, task: Task, lane: int, state: LaneState | None = None) -> None:
    """End the task if this lane, whose ``state`` may be known, was the last to be finished.

    Looks no further than the first that is not, each caller from its lane on: else all lanes
    together would read the square of their number.
    """
    states = [state] if state else []
    for number in range(len(states), task.lanes):
        key = task.keys.lane((lane + number) % task.lanes)
        states.append(read(shop.store, key, LaneState))
        if not states[-1].finished:
            return
    if not exists(shop.store, task.keys.ended):
        _end(shop, task, None, states)
    tidy(shop, task)


def _anybody_works(shop: Workshop, task: Task, lanes: list[LaneState]) -> bool:
    planning = found(shop.store, task.keys.planning, LaneState)
    now = shop.now()
    return any(lane.held(now) for lane in [*lanes, *([planning] if planning else [])])


def _end(
    shop: Workshop,
    task: Task,
    stop: Stop | None,
    lanes: list[LaneState],
    *,
    first: tuple[Problem, ...] = (),
    problems: int = 0,
) -> None:
    plan = found(shop.store, task.keys.plan, Plan)
    body, count = _report(shop.store, task)
    if count:
        shop.store.put(task.keys.report, body, content_type="application/x-ndjson")
    ended = Ended(
        state=stop.state if stop else "done",
        items=plan.items if plan else task.lines,
        added=sum(lane.added for lane in lanes),
        deleted=sum(lane.deleted for lane in lanes),
        failed=sum(lane.failed for lane in lanes),
        began=plan.began if plan else task.id,
        ended=shop.now(),
        problem=stop.problem if stop else None,
        first=first or first_failures(lanes),
        problems=problems,
    )
    try:
        shop.store.put_if_absent(task.keys.ended, msgspec.json.encode(ended))
    except LostRace:
        return  # somebody else ended it
    logger().info("increment ended", extra={"task": task.id, "state": ended.state})


def first_failures(lanes: list[LaneState]) -> tuple[Problem, ...]:
    """Return the first failures of all lanes, by line."""
    first: tuple[Failure, ...] = ()
    for lane in lanes:
        first = merged(first, list(lane.first))
    return tuple(Problem(f.code, f.message, "", line=f.line) for f in first)


def tidy(shop: Workshop, task: Task) -> None:
    """Do what follows from an end: start the next task, call back, drop what is not needed."""
    ended = found(shop.store, task.keys.ended, Ended)
    if ended is None or not exists(shop.store, task.keys.open):
        return
    tasks = Tasks(shop.store, task.instance, task.incarnation)
    for waiting in tasks.open_ids():
        if waiting != task.id and not exists(shop.store, tasks.keys(waiting).ended):
            shop.store.put(tasks.keys(waiting).todo(f"begin-after-{task.id}"), b"")
            break
    if task.callback_url:
        _call_back(shop, task, ended)
    if ended.state == "done":
        keep = (task.keys.lanes, task.keys.plan, task.keys.failures)
        passing = (info.key for info in shop.store.list(task.keys.work))
        shop.store.delete(key for key in passing if not key.startswith(keep))
    shop.store.delete([task.keys.open])


def _call_back(shop: Workshop, task: Task, ended: Ended) -> None:
    key = f"{task.keys.work}called-{ended.ended}"
    if exists(shop.store, key):
        return
    trust = shop.trust.of(shop.house.instances.get(task.instance))
    reason = deliver(
        task.callback_url,
        msgspec.json.encode(notice(task, ended)),
        key=trust.callback_key,
        delivery=f"{task.id}-{ended.ended}",
        private=shop.private_callbacks,
    )
    if reason:
        logger().warning("callback failed", extra={"task": task.id, "reason": reason})
    shop.store.put(key, reason.encode())


def notice(task: Task, ended: Ended) -> dict[str, Any]:
    """Return what a callback says."""
    return {
        "id": task.id,
        "instance": task.instance,
        "bucket": task.bucket,
        "path": task.path,
        "state": ended.state,
        "counts": {
            "total": ended.items,
            "added": ended.added,
            "deleted": ended.deleted,
            "failed": ended.failed,
        },
        "problem": ended.problem.record() if ended.problem else None,
    }


def _report(store: ObjectStore, task: Task) -> tuple[bytes, int]:
    """Return the failures of all chunks as JSON lines, by line, and how many there are."""
    failures = sorted(_failures(store, task), key=lambda failure: failure.line)
    lines = bytearray()
    for failure in failures:
        lines += msgspec.json.encode(failure) + b"\n"
    return bytes(lines), len(failures)


def _failures(store: ObjectStore, task: Task) -> Iterator[Failure]:
    for info in store.list(task.keys.failures):
        yield from msgspec.json.decode(store.get(info.key).body, type=list[Failure])
