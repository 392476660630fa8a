"""Find work whose event was lost or whose worker is gone, and have it done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from imagesearch.errors import ImageSearchError, InvalidField, UnknownIncrement, UnknownInstance
from imagesearch.ingest.events import start_lanes
from imagesearch.ingest.finish import fail, settle, tidy
from imagesearch.ingest.house import Workshop
from imagesearch.ingest.inbox import reconcile, revive
from imagesearch.ingest.lanes import LaneState, lane_states
from imagesearch.ingest.tasks import Plan, Task, TaskKeys, Tasks, exists, found, open_tasks
from imagesearch.observe import logger
from imagesearch.storage import ObjectStore

__all__ = ["Swept", "sweep"]

_HOUR = 3600 * 1_000_000
_MINUTE = 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class Swept:
    """How many tasks have something left to do, and how many keys of the inbox were attended."""

    open: int
    inbox: int


def sweep(
    shop: Workshop, worker: str, time_left: Callable[[], float], *, wait: int, inbox: bool
) -> Swept:
    """Look at every task that has something left to do.

    A lane that nobody has begun is given ``wait`` microseconds before it is started again, since
    its event may only be late. With ``inbox`` the whole inbox is compared with what was done,
    and what is left of erased instances is deleted.
    """
    count = 0
    for keys, noted in open_tasks(shop.store):
        try:
            count += _look_at(shop, keys, noted, wait)
        except ImageSearchError:
            logger().exception("task not swept", extra={"task": keys.id})
            count += 1
    attended = revive(shop, worker, older_than=min(wait, 3 * _MINUTE))
    if inbox:
        owners = _owners(shop.store)  # before the instances: one made meanwhile is not erased
        instances = list(shop.house.instances)
        there = {f"{one.name}/{one.incarnation}" for one in instances}
        _forget(shop.store, owners - there)
        for instance in instances:
            done, _ = reconcile(shop, instance.name, worker, time_left)
            attended += done
    return Swept(count, attended)


def _owners(store: ObjectStore) -> set[str]:
    """Return the instances, with their incarnations, of which tasks or roles are kept."""
    return {
        "/".join(info.key.removesuffix(".json").split("/")[2:4])
        for kind in ("made", "trust")
        for info in store.list(f"tasks/{kind}/")
    }


def _forget(store: ObjectStore, gone: set[str]) -> None:
    """Delete what is left of the tasks of instances that were erased."""
    for owner in gone:
        for kind in ("open", "work", "stop", "ended", "report", "asked", "trust", "made"):
            store.delete(info.key for info in store.list(f"tasks/{kind}/{owner}"))


def _look_at(shop: Workshop, keys: TaskKeys, noted: int, wait: int) -> int:
    """Have a task go on; 1 if it has something left to do, else 0."""
    try:
        task = Tasks(shop.store, keys.instance, keys.incarnation).get(keys.id)
    except UnknownIncrement:
        if shop.now() - noted > _HOUR:  # its submission broke off
            shop.store.delete([keys.open])
        return 0
    if exists(shop.store, keys.ended):
        tidy(shop, task)
        return 0
    if not _is_there(shop, task):
        fail(shop, task, UnknownInstance(f"instance {task.instance!r} was erased."))
    if settle(shop, task):
        return 0
    if not exists(shop.store, keys.stop):
        _restart(shop, task, wait)
    return 1


def _is_there(shop: Workshop, task: Task) -> bool:
    shop.house.instances.doubt(task.instance)
    try:
        return shop.house.instances.get(task.instance).incarnation == task.incarnation
    except (UnknownInstance, InvalidField):
        return False


def _restart(shop: Workshop, task: Task, wait: int) -> None:
    now = shop.now()
    plan = found(shop.store, task.keys.plan, Plan)
    if plan is None:
        planning = found(shop.store, task.keys.planning, LaneState)
        waiting = planning is None and now - task.id < wait
        if not waiting and not (planning and planning.held(now)):
            shop.store.put(task.keys.todo("begin-swept"), b"")
        return
    states = lane_states(shop.store, task.keys.lanes)
    late = {
        lane
        for lane, state in enumerate(states)
        if state.worker or now - max(plan.began, state.changed) >= wait
    }
    start_lanes(shop, task, states, "swept", only=late)
