"""S3's events on one machine: SeaweedFS tells what was written, functions hear it as of S3.

Which function hears what is read from the template. As with S3 an event arrives at least once
and in any order; :class:`Trouble` makes that happen on purpose. Events that were lost because
the service was down are found by a sweep, as by the schedule in the cloud.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote_plus

from imagesearch.errors import ImageSearchError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from imagesearch_local.emulator import FunctionPool
from imagesearch_local.intrinsics import REGION
from imagesearch_local.logs import SERVICE
from imagesearch_local.problems import LocalFailure
from imagesearch_local.template import Function, S3Trigger

__all__ = ["HOOK", "Bridge", "Change", "Hook", "Sweeper", "Trouble", "changes", "listens"]

HOOK = "/s3-events"
_PAUSES = (1.0, 2.0)
_SWEEP_EVERY = 10.0
_LONGEST_LEASE = 150.0


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one object, as S3 names it (``ObjectCreated:Put``)."""

    event: str
    bucket: str
    key: str
    size: int = 0
    etag: str = ""
    sequencer: str = "0"

    def fits(self, trigger: S3Trigger) -> bool:
        """Tell whether a rule of the template asks for this change."""
        return (
            trigger.bucket == self.bucket
            and self.key.startswith(trigger.prefix)
            and self.key.endswith(trigger.suffix)
            and any(fnmatchcase(f"s3:{self.event}", pattern) for pattern in trigger.events)
        )

    def record(self) -> dict[str, Any]:
        """Return the event that S3 sends.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        created = {"size": self.size, "eTag": self.etag} if "Created" in self.event else {}
        key = quote_plus(self.key, safe="/")
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": REGION,
            "eventTime": now,
            "eventName": self.event,
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": {"name": self.bucket, "arn": f"arn:aws:s3:::{self.bucket}"},
                "object": {"key": key, **created, "sequencer": self.sequencer},
            },
        }
        return {"Records": [record]}


def changes(told: Mapping[str, Any]) -> list[Change]:
    """Return what an event of SeaweedFS's filer means to S3; nothing for folders and parts."""
    message = told.get("message") or {}
    new, old = message.get("new_entry"), message.get("old_entry")
    entry = new or old or {}
    _, _, rest = str(told.get("key", "")).partition("/buckets/")
    bucket, _, key = rest.partition("/")
    if not key or entry.get("is_directory") or any(p.startswith(".") for p in key.split("/")[:1]):
        return []
    kind = told.get("event_type")
    if kind == "delete":
        return [Change("ObjectRemoved:Delete", bucket, key)]
    if kind not in {"create", "update"}:
        return []
    extended = entry.get("extended") or {}
    parts = any(name.lower() == "x-seaweedfs-upload-id" for name in extended)
    event = "ObjectCreated:CompleteMultipartUpload" if parts else "ObjectCreated:Put"
    etag = base64.b64decode(extended.get("Seaweed-X-Amz-ETag") or "").decode(errors="replace")
    stamps = [int(chunk.get("modified_ts_ns") or 0) for chunk in entry.get("chunks") or []]
    size = int((entry.get("attributes") or {}).get("file_size") or 0)
    return [Change(event, bucket, key, size, etag, f"{max(stamps, default=0):016X}")]


def listens(functions: Iterable[Function]) -> list[tuple[str, str]]:
    """Return the buckets and key prefixes about which some function wants to hear."""
    found = {(t.bucket, t.prefix) for function in functions for t in function.triggers}
    return sorted(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """How badly events are delivered: the shares that get lost and that come twice, and the delay.

    Each event is delayed by a draw of its own of up to ``delay`` seconds: that changes their order.
    One that has not come after ``wait`` seconds is taken for lost.
    """

    lost: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    wait: int = 600
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> Trouble:
        """Read ``"duplicate=0.3,delay=2,seed=7"``; empty is none."""
        given = dict(part.split("=", 1) for part in text.replace(" ", "").split(",") if part)
        if unknown := given.keys() - {"lost", "duplicate", "delay", "wait", "seed"}:
            raise LocalFailure(
                f"events can have lost, duplicate, delay, wait and seed, not {unknown}."
            )
        return cls(
            lost=float(given.get("lost", 0)),
            duplicate=float(given.get("duplicate", 0)),
            delay=float(given.get("delay", 0)),
            wait=int(given.get("wait", 600)),
            seed=int(given.get("seed", 0)),
        )


class Bridge:
    """Invokes functions for changes, asynchronously and with two more tries, as Lambda does."""

    def __init__(
        self, pools: Mapping[str, FunctionPool], *, trouble: Trouble, room: int = 64
    ) -> None:
        """Deliver to ``pools``, at most ``room`` events of a function at a time."""
        self._pools = pools
        self.trouble = trouble
        self._chance = random.Random(trouble.seed)
        self._rooms = {name: asyncio.Semaphore(room) for name in pools}
        self._tasks: set[asyncio.Task[None]] = set()
        self.stirred = asyncio.Event()
        self.failed = asyncio.Event()

    def take(self, change: Change) -> None:
        """Have every function that asked for this change invoked."""
        event = json.dumps(change.record()).encode()
        for name, pool in self._pools.items():
            if any(change.fits(trigger) for trigger in pool.function.triggers):
                if self._chance.random() < self.trouble.lost:
                    self.stirred.set()
                    continue
                again = self._chance.random() < self.trouble.duplicate
                for _ in range(1 + again):
                    self._start(name, pool, event)

    async def close(self) -> None:
        """Drop what has not been delivered."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, name: str, pool: FunctionPool, event: bytes) -> None:
        self.stirred.set()
        task = asyncio.create_task(self._deliver(name, pool, event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, name: str, pool: FunctionPool, event: bytes) -> None:
        if self.trouble.delay:
            await asyncio.sleep(self._chance.uniform(0, self.trouble.delay))
        async with self._rooms[name]:
            for pause in (*_PAUSES, None):
                try:
                    await pool.invoke(event)
                except ImageSearchError as error:
                    SERVICE.warning("event for %s: %s", name, error.detail)
                    self.failed.set()
                else:
                    return
                if pause is not None:
                    await asyncio.sleep(pause)
        SERVICE.error("event for %s given up: %s", name, event[:2000])


class Hook:
    """An ASGI application that takes the filer's events and leaves all else to another."""

    def __init__(self, bridge: Bridge, token: str, rest: ASGIApp) -> None:
        """Take events that carry ``token``."""
        self._bridge = bridge
        self._token = token
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != HOOK:
            await self._rest(scope, receive, send)
            return
        request = Request(scope, receive)
        response = Response(status_code=403)
        given = request.headers.get("authorization", "")
        if hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            for change in changes(await request.json()):
                self._bridge.take(change)
            response = Response(status_code=204)
        await response(scope, receive, send)


class Sweeper:
    """Asks functions to look for lost work: at the start, and while there is any to be done."""

    def __init__(self, bridge: Bridge, pools: Sequence[FunctionPool]) -> None:
        """Sweep with those functions that have a schedule for it."""
        self._bridge = bridge
        self._pools = [pool for pool in pools if _sweeps(pool.function)]

    async def run(self, *, at_start: bool) -> None:
        """Sweep for as long as the service runs."""
        if not self._pools:
            return
        if at_start:
            await self._sweep({"wait": 0, "inbox": True})
            self._bridge.stirred.set()
        while True:
            await self._bridge.stirred.wait()
            self._bridge.stirred.clear()
            until = 0.0
            while True:
                await asyncio.sleep(_SWEEP_EVERY)
                now = asyncio.get_running_loop().time()
                if self._bridge.failed.is_set():
                    self._bridge.failed.clear()
                    until = now + _LONGEST_LEASE
                if not await self._sweep({"wait": self._bridge.trouble.wait}) and now >= until:
                    break

    async def _sweep(self, how: Mapping[str, Any]) -> int:
        """Sweep once; return how much is left to do."""
        left = 0
        for pool in self._pools:
            try:
                answer = json.loads(await pool.invoke(json.dumps({"sweep": how}).encode()))
            except ImageSearchError as error:
                SERVICE.warning("sweep of %s: %s", pool.function.name, error.detail)
                left += 1
            else:
                left += int(answer.get("open", 0))
        return left


def _sweeps(function: Function) -> bool:
    return bool(function.triggers) and any("sweep" in json.loads(s) for s in function.schedules)
