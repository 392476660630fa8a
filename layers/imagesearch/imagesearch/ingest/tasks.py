"""Tasks as objects in the store: what was asked, where work stands, how it ended.

::

    tasks/made/I/C/ID.json        what was asked; never changes
    tasks/open/I/C/ID             there is something left to do; removed last
    tasks/stop/I/C/ID.json        it is to stop: cancelled, or something failed for good
    tasks/ended/I/C/ID.json       how it ended
    tasks/report/I/C/ID.jsonl     every failure
    tasks/work/I/C/ID/plan.json   how the lines were split
                     /lanes/L     where a lane stands and who works on it
                     /chunks/L/N  the lines themselves
                     /failures/…  failures, a chunk each
                     /todo/….todo an event for a worker

``I`` is the instance's name, ``C`` its incarnation, ``ID`` when the task was submitted (µs).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec

from imagesearch.catalogue import Instance
from imagesearch.errors import CorruptObject, LostRace, NoSuchObject, UnknownIncrement
from imagesearch.ingest.problems import Problem
from imagesearch.storage import ObjectInfo, ObjectStore

__all__ = ["TODO", "Ended", "Plan", "Stop", "Task", "TaskKeys", "Tasks"]

TODO = ".todo"
"""What the names of objects end in whose arrival starts a worker."""

Outcome = Literal["done", "cancelled", "failed"]
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, order=True)
class TaskKeys:
    """Where the objects of one task are."""

    instance: str
    incarnation: str
    id: int

    def _at(self, kind: str, ending: str = "") -> str:
        return f"tasks/{kind}/{self.instance}/{self.incarnation}/{self.id:016d}{ending}"

    @property
    def made(self) -> str:
        """Return the key of what was asked."""
        return self._at("made", ".json")

    @property
    def open(self) -> str:
        """Return the key of the mark that something is left to do."""
        return self._at("open")

    @property
    def stop(self) -> str:
        """Return the key of the order to stop."""
        return self._at("stop", ".json")

    @property
    def ended(self) -> str:
        """Return the key of how it ended."""
        return self._at("ended", ".json")

    @property
    def report(self) -> str:
        """Return the key of the list of failures."""
        return self._at("report", ".jsonl")

    @property
    def work(self) -> str:
        """Return what the keys of everything passing begin with."""
        return self._at("work", "/")

    @property
    def plan(self) -> str:
        """Return the key of the plan."""
        return f"{self.work}plan.json"

    @property
    def planning(self) -> str:
        """Return the key of who is planning."""
        return f"{self.work}planning"

    @property
    def lanes(self) -> str:
        """Return what the keys of the lanes' states begin with."""
        return f"{self.work}lanes/"

    @property
    def failures(self) -> str:
        """Return what the keys of the failures begin with."""
        return f"{self.work}failures/"

    def lane(self, lane: int) -> str:
        """Return the key of a lane's state."""
        return f"{self.lanes}{lane:04d}"

    def chunk(self, lane: int, number: int) -> str:
        """Return the key of a chunk of lines."""
        return f"{self.work}chunks/{lane:04d}/{number:06d}"

    def failed(self, lane: int, chunk: int, offset: int) -> str:
        """Return the key of the failures in a part of a chunk."""
        return f"{self.failures}{lane:04d}/{chunk:06d}-{offset:04d}"

    def todo(self, what: str) -> str:
        """Return the key of an event for a worker."""
        return f"{self.work}todo/{what}{TODO}"

    @classmethod
    def of_open(cls, key: str) -> TaskKeys | None:
        """Read the key of a mark below ``tasks/open/``."""
        parts = key.split("/")
        if len(parts) != 5 or not parts[4].isdigit():
            return None
        return cls(parts[2], parts[3], int(parts[4]))

    @classmethod
    def of_todo(cls, key: str) -> tuple[TaskKeys, str] | None:
        """Read the key of an event: the task, and what is to be done."""
        parts = key.split("/")
        if len(parts) != 7 or parts[:2] != ["tasks", "work"] or not parts[4].isdigit():
            return None
        if parts[5] != "todo" or not parts[6].endswith(TODO):
            return None
        return cls(parts[2], parts[3], int(parts[4])), parts[6].removesuffix(TODO)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked. ``meta_etag`` names the version of increment.meta that was checked.

    ``lines`` is their number, estimated if not all were read then; ``lanes`` and ``chunk`` say
    how they are split. ``most`` is how many pictures the instance may hold for the task to add
    another, 0 for any number.
    """

    id: int
    instance: str
    incarnation: str
    bucket: str
    path: str
    role_arn: str = ""
    bucket_owner: str = ""
    callback_url: str = ""
    meta_key: str
    meta_size: int
    meta_etag: str
    lines: int = 0
    lanes: int = 1
    chunk: int = 100
    most: int = 0

    @property
    def keys(self) -> TaskKeys:
        """Return where the task's objects are."""
        return TaskKeys(self.instance, self.incarnation, self.id)

    @property
    def meta(self) -> ObjectInfo:
        """Return the version of increment.meta."""
        return ObjectInfo(self.meta_key, self.meta_size, self.meta_etag, 0)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How the lines were split. ``items`` counts what they ask for; ``began`` is when (µs)."""

    lanes: int
    items: int
    began: int


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """An order to stop."""

    state: Literal["cancelled", "failed"]
    problem: Problem | None = None


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a task ended: counts of what was asked for by outcome, times in µs."""

    state: Outcome
    items: int
    added: int
    deleted: int
    failed: int
    began: int
    ended: int
    problem: Problem | None = None
    first: tuple[Problem, ...] = ()
    problems: int = 0
    """How many lines kept the task from being planned; the first are in ``first``."""


class Tasks:
    """The tasks of one instance's incarnation."""

    def __init__(self, store: ObjectStore, instance: str, incarnation: str) -> None:
        self._store = store
        self._instance, self._incarnation = instance, incarnation

    @classmethod
    def of(cls, store: ObjectStore, instance: Instance) -> Tasks:
        """Return the tasks of an instance."""
        return cls(store, instance.name, instance.incarnation)

    def keys(self, id: int) -> TaskKeys:
        """Return where a task's objects are."""
        return TaskKeys(self._instance, self._incarnation, id)

    def add(self, task: Task, idempotency_key: str = "") -> tuple[Task, bool]:
        """Enter a task under the first free id from ``task.id`` on; the flag tells it is new.

        A submission repeated under the same ``idempotency_key`` finds the task it made before; that
        is new if nobody came to note that there is something to do.
        """
        task = self._entered(task)
        if idempotency_key:
            standing = self._reserve(idempotency_key, task.id)
            if standing != task.id:
                self._store.delete([task.keys.made])
                task = self.get(standing)
                if exists(self._store, task.keys.open) or exists(self._store, task.keys.ended):
                    return task, False
        self._store.put(task.keys.open, b"")
        return task, True

    def _entered(self, task: Task) -> Task:
        """Write down what is asked, under the first free id; return it with that id."""
        while True:
            try:
                self._store.put_if_absent(self.keys(task.id).made, msgspec.json.encode(task))
            except LostRace:
                task = msgspec.structs.replace(task, id=task.id + 1)
            else:
                return task

    def get(self, id: int) -> Task:
        """Return a task; :class:`UnknownIncrement` if there is none."""
        try:
            return read(self._store, self.keys(id).made, Task)
        except NoSuchObject:
            raise UnknownIncrement(
                f"instance {self._instance!r} has no task {id}.", field="id"
            ) from None

    def ids(self) -> list[int]:
        """Return the ids of all tasks, newest first."""
        prefix = f"tasks/made/{self._instance}/{self._incarnation}/"
        names = (info.key.removeprefix(prefix) for info in self._store.list(prefix))
        return sorted((int(n.removesuffix(".json")) for n in names), reverse=True)

    def open_ids(self) -> list[int]:
        """Return the ids of the tasks that have not been put away, oldest first."""
        prefix = f"tasks/open/{self._instance}/{self._incarnation}/"
        return sorted(int(info.key.removeprefix(prefix)) for info in self._store.list(prefix))

    def first_before(self, id: int) -> int | None:
        """Return the oldest task that must end before this one may begin, if there is any."""
        for other in self.open_ids():
            if other >= id:
                return None
            if not exists(self._store, self.keys(other).ended):
                return other
        return None

    def _reserve(self, idempotency_key: str, id: int) -> int:
        name = hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]
        key = f"tasks/asked/{self._instance}/{self._incarnation}/{name}"
        try:
            self._store.put_if_absent(key, str(id).encode())
        except LostRace:
            return int(self._store.get(key).body)
        return id


def open_tasks(store: ObjectStore) -> Iterator[tuple[TaskKeys, int]]:
    """Yield every task that has something left to do, and when that was noted (µs)."""
    for info in store.list("tasks/open/"):
        keys = TaskKeys.of_open(info.key)
        if keys:
            yield keys, info.modified


def read(store: ObjectStore, key: str, kind: type[Record]) -> Record:
    """Read a record; ``NoSuchObject`` if there is none, ``CorruptObject`` if it is not one."""
    body = store.get(key).body
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptObject(f"{key} is not a {kind.__name__}: {error}.") from None


def found(store: ObjectStore, key: str, kind: type[Record]) -> Record | None:
    """Read a record if there is one."""
    try:
        return read(store, key, kind)
    except NoSuchObject:
        return None


def exists(store: ObjectStore, key: str) -> bool:
    """Tell whether there is an object."""
    try:
        store.head(key)
    except NoSuchObject:
        return False
    return True
