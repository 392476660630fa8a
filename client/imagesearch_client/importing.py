"""Add many pictures: several at once, resumable, with every failure told apart."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from imagesearch_client.errors import Forbidden, Refused, Unauthorized, Unreachable
from imagesearch_client.journal import Journal
from imagesearch_client.refusals import InvalidInstance, ModelMismatch
from imagesearch_client.sources import Item

if TYPE_CHECKING:
    from imagesearch_client._async import AsyncClient
    from imagesearch_client._blocking import Client

__all__ = ["Failure", "Plan", "Progress", "Summary", "run", "run_async"]

_AHEAD = 4  # items in hand per worker, so that a long list does not sit in memory as futures
_CONCERNS_ALL = (Unreachable, Unauthorized, Forbidden, InvalidInstance, ModelMismatch)
"""After these every other picture would fare the same."""


@dataclass(frozen=True)
class Failure:
    """A picture that was not added, and why."""

    origin: str
    product_id: str
    pic_name: str
    code: str
    detail: str


@dataclass
class Summary:
    """How an import went. ``known`` counts pictures that an earlier run had added.

    ``stopped`` says why the import ended before its end, if it did.
    """

    total: int
    added: int = 0
    known: int = 0
    failures: list[Failure] = field(default_factory=list)
    stopped: str = ""
    seconds: float = 0.0


Progress = Callable[[Summary], None]


class Plan:
    """What is to be imported, and how far it is. Safe to use from several threads."""

    def __init__(
        self,
        instance: str,
        items: tuple[Item, ...],
        journal: Journal,
        workers: int = 4,
        on_progress: Progress | None = None,
    ) -> None:
        """Import ``items`` into ``instance`` with ``workers`` requests at once."""
        self.instance = instance
        self.items = items
        self.workers = workers
        self.summary = Summary(len(items))
        self._journal = journal
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def prepare(self, item: Item) -> tuple[bytes, str] | None:
        """Return an item's bytes and fingerprint, or ``None`` if nothing is to be sent."""
        try:
            image = _bytes(item)
        except _Unusable as error:
            self._fail(item, "Unusable", str(error))
            return None
        fingerprint = _fingerprint(image, item.fields)
        if (*item.key, fingerprint) not in self._journal:
            return image, fingerprint
        self._count(known=1)
        return None

    def added(self, item: Item, fingerprint: str) -> None:
        """Note that an item was acknowledged."""
        self._journal.add(item.key, fingerprint)
        self._count(added=1)

    def refused(self, item: Item, error: Refused) -> None:
        """Note that an item was refused; raise what concerns every other item as well."""
        if isinstance(error, _CONCERNS_ALL):
            raise error
        self._fail(item, error.code, error.detail)

    def ended(self, error: BaseException | None) -> Summary:
        """Return how it went; ``error`` ended it early. Anything unforeseen is raised again."""
        if error is not None:
            if not isinstance(error, _CONCERNS_ALL):
                raise error
            self.summary.stopped = str(error)
        self.summary.seconds = time.monotonic() - self._began
        self.summary.failures.sort(key=lambda failure: failure.origin)
        return self.summary

    def _fail(self, item: Item, code: str, detail: str) -> None:
        self._count(failed=Failure(item.origin, *item.key, code, detail))

    def _count(self, *, added: int = 0, known: int = 0, failed: Failure | None = None) -> None:
        with self._lock:
            self.summary.added += added
            self.summary.known += known
            self.summary.failures += [failed] if failed else []
            if self._on_progress:
                self._on_progress(self.summary)


def run(client: Client, plan: Plan) -> Summary:
    """Carry out a plan with threads."""
    queue = iter(plan.items)

    def work(item: Item) -> None:
        prepared = plan.prepare(item)
        if prepared is None:
            return
        image, fingerprint = prepared
        try:
            client.add(plan.instance, image, **item.fields)
        except Refused as error:
            plan.refused(item, error)
        else:
            plan.added(item, fingerprint)

    with ThreadPoolExecutor(plan.workers) as pool:
        while batch := list(islice(queue, plan.workers * _AHEAD)):
            futures = [pool.submit(work, item) for item in batch]
            done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
            if failed := next((f for f in done if f.exception()), None):
                for future in waiting:
                    future.cancel()
                return plan.ended(failed.exception())
    return plan.ended(None)


async def run_async(client: AsyncClient, plan: Plan) -> Summary:
    """Carry out a plan with tasks."""
    queue = iter(plan.items)
    workers = [asyncio.create_task(_worker(client, plan, queue)) for _ in range(plan.workers)]
    try:
        await asyncio.gather(*workers)
    except Exception as error:  # the plan knows which may end an import
        return plan.ended(error)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return plan.ended(None)


async def _worker(client: AsyncClient, plan: Plan, queue: Iterator[Item]) -> None:
    for item in queue:
        prepared = await asyncio.to_thread(plan.prepare, item)
        if prepared is None:
            continue
        image, fingerprint = prepared
        try:
            await client.add(plan.instance, image, **item.fields)
        except Refused as error:
            plan.refused(item, error)
        else:
            plan.added(item, fingerprint)


class _Unusable(Exception):
    """The item cannot be sent at all."""


def _bytes(item: Item) -> bytes:
    if item.problem or item.file is None:
        raise _Unusable(item.problem)
    try:
        return item.file.read_bytes()
    except OSError as error:
        raise _Unusable(f"cannot read {item.file}: {error.strerror}.") from None


def _fingerprint(image: bytes, fields: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    digest.update(image)
    return digest.hexdigest()[:32]
