"""Tasks in memory: a bucket whose events are delivered as badly as one likes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from imagesearch.catalogue import PictureKey, Service
from imagesearch.errors import MetaChanged, PictureNotInSource
from imagesearch.ingest.events import handle
from imagesearch.ingest.house import Workshop
from imagesearch.ingest.inbox import INBOX
from imagesearch.ingest.roles import TrustRegister
from imagesearch.ingest.source import picture_keys
from imagesearch.ingest.sweep import sweep
from imagesearch.ingest.tasks import TODO, Task, Tasks
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.increments import (
    Increment,
    NamedIncrement,
    SubmitIncrement,
    show_increment,
    submit_increment,
)
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.settings import Settings
from imagesearch.storage import ObjectInfo

from tests.operations.conftest import Reader
from tests.stores import MemoryStore

META = "increment.meta"


class Killed(BaseException):
    """The process is gone."""


class Bucket:
    """Somebody's bucket: keys and bytes, read as a task's source."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.objects = dict(objects)

    def check(self, prefix: str) -> bool:
        return any(key.startswith(prefix) for key in self.objects)

    def find(self, key: str) -> ObjectInfo | None:
        body = self.objects.get(key)
        return None if body is None else ObjectInfo(key, len(body), str(hash(body)), 0)

    def stream(self, found: ObjectInfo) -> Iterator[bytes]:
        body = self.objects.get(found.key)
        if body is None or str(hash(body)) != found.etag:
            raise MetaChanged("changed", "changed")
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    def picture(self, path: str, name: str) -> bytes:
        for key in picture_keys(path, name):
            if key in self.objects:
                return self.objects[key]
        raise PictureNotInSource(f"there is no {name}")


class Buckets:
    """Opens the one bucket for every task."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def open(self, *_: object) -> Bucket:
        return self.bucket

    def of_task(self, _task: Task) -> Bucket:
        return self.bucket


class Eye(Reader):
    """Sees what a picture says; ``b"crash"`` ends the process, ``b"bad"`` is no picture."""

    def __init__(self) -> None:
        self.looked: list[bytes] = []

    def look(self, image: bytes, service: Service, **options: Any) -> Any:
        from imagesearch.errors import NotAPicture

        self.looked.append(image)
        if image == b"crash":
            raise Killed
        if image == b"bad":
            raise NotAPicture("it is not a picture.")
        if image == b"bug":
            raise ZeroDivisionError
        return super().look(image, service, **options)


class Yard:
    """A deployment, the events its bucket sends, and the workers that they start."""

    def __init__(self, folder: Path, objects: Mapping[str, bytes] | None = None) -> None:
        self.time = 1_800_000_000_000_000
        self.store = MemoryStore(lambda: self.time)
        self.eye = Eye()
        self.bucket = Bucket(objects or {})
        self.folder = folder
        self.left: Callable[[], float] = lambda: 800.0
        self.events: list[str] = []
        self.store.after = self._note
        self.upkeep: Callable[[str], None] | None = None
        self.deployment = self._fresh()
        create_instance(self.deployment, CreateInstance(instance="shop", service=Service.PRODUCT))
        self.workers = 0
        self.forgetful = False
        self.thumbnails = False

    def _fresh(self) -> Deployment:
        settings = Settings(bucket="own", cache=self.folder, private_callbacks=True)
        return Deployment(
            settings,
            self.store,
            vision=lambda: self.eye,  # type: ignore
            compaction=self.upkeep,
        )

    def _note(self, verb: str, key: str) -> None:
        if verb.startswith(("put", "compare")) and (key.startswith(INBOX) or key.endswith(TODO)):
            self.events.append(key)
        if verb == "delete" and key.startswith(INBOX):
            self.events.append(key)

    def now(self) -> int:
        self.time += 1000
        return self.time

    def without_upkeep(self) -> list[str]:
        """Have upkeep asked for, but not done; return the list of who asked."""
        asked: list[str] = []
        self.upkeep = asked.append
        return asked

    def shop(self, *, fresh: bool = False) -> Workshop:
        house = self._fresh() if fresh else self.deployment
        buckets: Any = Buckets(self.bucket)
        trust = TrustRegister(self.store)
        return Workshop(house, trust, buckets.of_task, self.now, 4, True, self.thumbnails)

    def submit(self, lines: list[dict[str, Any]] | bytes, **options: Any) -> Increment:
        body = lines if isinstance(lines, bytes) else meta(lines)
        folder = options.pop("folder", "goods")
        self.bucket.objects[f"{folder}/{META}"] = body
        key, most = options.pop("idempotency_key", None), options.pop("most", None)
        wanted = SubmitIncrement(instance="shop", bucket="theirs", path=f"/{folder}", **options)
        return submit_increment(
            self.deployment,
            wanted,
            idempotency_key=key,
            most=most,
            buckets=Buckets(self.bucket),  # type: ignore
        )

    def deliver(self, key: str, worker: str = "") -> None:
        """Run a worker on one event."""
        self.workers += 1
        handle(self.shop(fresh=self.forgetful), key, worker or f"worker-{self.workers}", self.left)

    def run(self, chance: random.Random | None = None, *, most: int = 10_000) -> None:
        """Deliver events until there are none: in order, or any order and some twice."""
        while self.events and most:
            most -= 1
            place = chance.randrange(len(self.events)) if chance else 0
            key = self.events[place] if chance and chance.random() < 0.3 else self.events.pop(place)
            try:
                self.deliver(key)
            except Killed:
                continue
        assert most, "it does not end"

    def sweep(self, *, wait: int = 0, inbox: bool = False) -> int:
        self.time += 200_000_000
        return sweep(self.shop(), f"sweep-{self.time}", self.left, wait=wait, inbox=inbox).open

    def show(self, increment: Increment) -> Increment:
        wanted = NamedIncrement(instance="shop", id=increment.task.id)
        return show_increment(self.deployment, wanted)

    def tasks(self) -> Tasks:
        return Tasks.of(self.store, self.deployment.instances.get("shop"))

    def catalogue(self) -> dict[PictureKey, int]:
        """Return every picture of the index with its ``int_attr``."""
        snapshot = self._fresh().open("shop").snapshot
        return {
            found.key: found.attributes.int_attr or 0
            for found in snapshot.matching(None, limit=100_000)
        }


def meta(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def add(product: str, picture: str = "a.jpg", **more: Any) -> dict[str, Any]:
    return {"OperationType": "ADD", "ProductId": product, "PicName": picture, **more}


def delete(product: str, picture: str = "") -> dict[str, Any]:
    line = {"OperationType": "DELETE", "ProductId": product}
    return {**line, "PicName": picture} if picture else line
