"""Do what an event of the bucket asks for."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_plus

from imagesearch.errors import (
    IncrementRefused,
    ModelMismatch,
    NoSuchObject,
    UnknownIncrement,
    UnknownInstance,
)
from imagesearch.ingest.finish import fail, settle, settle_after, tidy
from imagesearch.ingest.house import Workshop
from imagesearch.ingest.inbox import INBOX, attend
from imagesearch.ingest.lanes import Hold, LaneState, TurnLost
from imagesearch.ingest.plan import planned
from imagesearch.ingest.tasks import Task, TaskKeys, Tasks, exists
from imagesearch.ingest.work import work_lane
from imagesearch.observe import logger

__all__ = ["begin", "handle", "keys_of", "start_lanes"]

# What keeps a task from going on until somebody changes something.
_FOR_GOOD = (IncrementRefused, UnknownInstance, ModelMismatch)


def keys_of(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys that S3's records are about; S3 writes them as forms do."""
    for record in event.get("Records", []):
        yield unquote_plus(record["s3"]["object"]["key"])


def handle(shop: Workshop, key: str, worker: str, time_left: Callable[[], float]) -> None:
    """Do what the arrival (or, in the inbox, the removal) of an object asks for."""
    if key.startswith(INBOX):
        attend(shop, key, worker)
        return
    found = TaskKeys.of_todo(key)
    if found is None:
        logger().warning("not an event of ours", extra={"key": key})
        return
    keys, what = found
    try:
        task = Tasks(shop.store, keys.instance, keys.incarnation).get(keys.id)
    except UnknownIncrement:
        return  # put away long ago
    if what.startswith("lane-"):
        _lane(shop, task, int(what.split("-")[1]), worker, time_left)
    elif exists(shop.store, keys.ended):
        tidy(shop, task)
    else:
        begin(shop, task, worker)


def begin(shop: Workshop, task: Task, worker: str) -> None:
    """Plan a task when it is its turn, and start a worker for each lane."""
    if exists(shop.store, task.keys.stop):
        settle(shop, task)
        return
    if Tasks(shop.store, task.instance, task.incarnation).first_before(task.id) is not None:
        return  # whoever ends that one starts this one
    try:
        states = planned(shop, task, worker)
    except _FOR_GOOD as error:
        fail(shop, task, error)
        _release_planning(shop, task, worker)
        settle(shop, task)
        return
    if states is None:
        return  # whoever splits it starts the workers
    if all(state.finished for state in states):
        settle(shop, task)
    else:
        start_lanes(shop, task, states, "begin")


def start_lanes(
    shop: Workshop,
    task: Task,
    states: Sequence[LaneState],
    why: str,
    *,
    only: Container[int] | None = None,
) -> None:
    """Start a worker for every lane (of ``only``) that is not finished and has none."""
    now = shop.now()
    for lane, state in enumerate(states):
        if only is not None and lane not in only:
            continue
        if not state.finished and not state.held(now):
            shop.store.put(task.keys.todo(f"lane-{lane:04d}-{why}"), b"")


def _lane(
    shop: Workshop, task: Task, lane: int, worker: str, time_left: Callable[[], float]
) -> None:
    try:
        hold = Hold.take(shop.store, task.keys.lane(lane), worker, shop.now())
    except NoSuchObject:
        return
    if hold is None:
        settle_after(shop, task, lane)
        return
    try:
        outcome = work_lane(shop, task, lane, hold, time_left)
    except TurnLost:
        return
    except _FOR_GOOD as error:
        fail(shop, task, error)
        with suppress(TurnLost):
            hold.give_back(shop.now())
        outcome = "stopped"
    except Exception:
        with suppress(TurnLost):  # whoever tries again need not wait for our lease to end
            hold.give_up(shop.now())
        raise
    if outcome == "finished":
        settle_after(shop, task, lane, hold.state)
    elif outcome == "stopped":
        settle(shop, task)
    else:
        state = hold.state
        shop.store.put(task.keys.todo(f"lane-{lane:04d}-from-{state.chunk}-{state.offset}"), b"")


def _release_planning(shop: Workshop, task: Task, worker: str) -> None:
    try:
        hold = Hold.take(shop.store, task.keys.planning, worker, shop.now())
        if hold:
            hold.give_back(shop.now())
    except (NoSuchObject, TurnLost):
        return
