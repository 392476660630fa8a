"""Add many pictures: several at once, resumable, with every failure told apart."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from imagesearch_local.client import Client, Refused, Unreachable
from imagesearch_local.journal import Journal
from imagesearch_local.manifest import Item

__all__ = ["Failure", "Importer", "Summary"]

_AHEAD = 4  # items in hand per worker, so that a long list does not sit in memory as futures


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture that was not added, and why."""

    origin: str
    product_id: str
    pic_name: str
    code: str
    detail: str


@dataclass(slots=True)
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


class Importer:
    """Sends pictures to one instance and keeps a journal of those that were acknowledged."""

    def __init__(
        self, client: Client, instance: str, journal: Journal, *, workers: int = 4
    ) -> None:
        """Import with ``workers`` requests at once."""
        self._client = client
        self._instance = instance
        self._journal = journal
        self._workers = workers
        self._lock = threading.Lock()

    def run(self, items: Iterable[Item], on_progress: Callable[[], None]) -> Summary:
        """Import ``items`` and call ``on_progress`` after each.

        Ends early when the server stays silent; a picture that cannot be read or is refused
        only goes into the summary's failures.
        """
        began = time.monotonic()
        todo = list(items)
        summary = Summary(len(todo))
        queue = iter(todo)

        def work(item: Item) -> None:
            self._import(item, summary)
            on_progress()

        with ThreadPoolExecutor(self._workers) as pool:
            while batch := list(islice(queue, self._workers * _AHEAD)):
                futures = [pool.submit(work, item) for item in batch]
                done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
                if failed := next((f for f in done if f.exception()), None):
                    for future in waiting:
                        future.cancel()
                    summary.stopped = _stopping(failed.exception())
                    break
        summary.seconds = time.monotonic() - began
        summary.failures.sort(key=lambda failure: failure.origin)
        return summary

    def _import(self, item: Item, summary: Summary) -> None:
        try:
            image = _bytes(item)
            fingerprint = _fingerprint(image, item.fields)
            known = (*item.key, fingerprint) in self._journal
            if not known:
                self._client.add(self._instance, image, item.fields)
                self._journal.add(item.key, fingerprint)
        except _Unusable as error:
            self._fail(item, summary, "Unusable", str(error))
        except Refused as error:
            if _concerns_all(error):
                raise
            self._fail(item, summary, error.code, error.detail)
        else:
            with self._lock:
                summary.known += known
                summary.added += not known

    def _fail(self, item: Item, summary: Summary, code: str, detail: str) -> None:
        with self._lock:
            summary.failures.append(Failure(item.origin, *item.key, code, detail))


class _Unusable(Exception):
    """The item cannot be sent at all."""


def _bytes(item: Item) -> bytes:
    if item.problem or item.file is None:
        raise _Unusable(item.problem)
    try:
        return item.file.read_bytes()
    except OSError as error:
        raise _Unusable(f"cannot read {item.file}: {error.strerror}") from None


def _fingerprint(image: bytes, fields: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    digest.update(image)
    return digest.hexdigest()[:32]


def _concerns_all(error: Refused) -> bool:
    """Tell whether every other picture would be refused as well."""
    return error.status in {401, 403} or error.code in {"InvalidInstance", "ModelMismatch"}


def _stopping(error: BaseException | None) -> str:
    """Return why the import ended early; anything unforeseen is raised again."""
    if isinstance(error, Unreachable | Refused):
        return str(error)
    raise error or AssertionError
