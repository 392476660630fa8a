"""Plan a task: check every line, and split the lines into lanes of chunks.

Lines of one product go to one lane, and a lane is worked off in the order of the file. So
whatever a file asks of a picture, or of a product as a whole, happens in the file's order,
however many workers there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from imagesearch.errors import LostRace
from imagesearch.ingest.house import Workshop
from imagesearch.ingest.lanes import Hold, LaneState, TurnLost
from imagesearch.ingest.lines import Flaw, Line, read_lines
from imagesearch.ingest.problems import Flaws
from imagesearch.ingest.tasks import Plan, Task, found
from imagesearch.storage import ObjectStore

__all__ = ["CHUNK", "decode", "lane_of", "lanes_for", "planned", "split"]

CHUNK = 100
"""Lines that are written to the index at once."""
_WRITERS = 8


def lanes_for(lines: int, most: int) -> int:
    """Return how many lanes so many lines are split into: each is to have a chunk or so."""
    return max(1, min(most, -(-lines // (CHUNK * 4 // 5))))


def planned(shop: Workshop, task: Task, worker: str) -> Plan | None:
    """Return the task's plan, making it if there is none; ``None`` if somebody else is at it.

    Raises an ``IncrementRefused`` leaf when the file cannot be carried out.
    """
    keys = task.keys
    if plan := found(shop.store, keys.plan, Plan):
        return plan
    _put_once(shop.store, keys.planning, msgspec.json.encode(LaneState(chunks=1, items=0)))
    hold = Hold.take(shop.store, keys.planning, worker, shop.now())
    if hold is None:
        return found(shop.store, keys.plan, Plan)
    try:
        plan = split(shop, task, hold)
        hold.change(shop.now(), chunk=1, worker="", until=0)
    except TurnLost:
        return found(shop.store, keys.plan, Plan)
    return plan


def split(shop: Workshop, task: Task, hold: Hold) -> Plan:
    """Write the chunks, then the lanes, then the plan: work begins only when all is well."""
    source = shop.source(task)
    flaws, lines = Flaws(), 0
    with ThreadPoolExecutor(_WRITERS) as pool:
        desk = _Desk(shop.store, task, pool, [_Lane() for _ in range(task.lanes)])
        for item in read_lines(source.stream(task.meta)):
            lines += 1
            if isinstance(item, Flaw):
                flaws.add(item.error, item.number)
            elif not flaws.total:
                desk.put(item)
            if lines % 1000 == 0:
                hold.renew_if_due(shop.now())
        if flaws.total:
            raise flaws.refusal(lines)
        desk.close()
    for number, lane in enumerate(desk.lanes):
        state = LaneState(chunks=lane.chunks, items=lane.items)
        _put_once(shop.store, task.keys.lane(number), msgspec.json.encode(state))
    items = sum(lane.items for lane in desk.lanes)
    plan = Plan(lanes=task.lanes, items=items, began=shop.now())
    _put_once(shop.store, task.keys.plan, msgspec.json.encode(plan))
    return found(shop.store, task.keys.plan, Plan) or plan


def lane_of(product_id: str, lanes: int) -> int:
    """Return the lane of a product, the same on every machine."""
    digest = hashlib.blake2b(product_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % lanes


@dataclass(slots=True)
class _Lane:
    lines: list[Line] = field(default_factory=list)
    chunks: int = 0
    items: int = 0


@dataclass(slots=True)
class _Desk:
    """Collects lines into chunks; in memory are at most one chunk a lane."""

    store: ObjectStore
    task: Task
    pool: ThreadPoolExecutor
    lanes: list[_Lane]
    _writing: list[Future[None]] = field(default_factory=list)

    def put(self, line: Line) -> None:
        number = lane_of(line.product_id, len(self.lanes))
        lane = self.lanes[number]
        lane.lines.append(line)
        lane.items += 1
        if len(lane.lines) == self.task.chunk:
            self._flush(number)

    def close(self) -> None:
        for number, lane in enumerate(self.lanes):
            if lane.lines:
                self._flush(number)
        self._wait(0)

    def _flush(self, number: int) -> None:
        lane = self.lanes[number]
        key = self.task.keys.chunk(number, lane.chunks)
        body = encode(lane.lines)
        lane.chunks, lane.lines = lane.chunks + 1, []
        self._writing.append(self.pool.submit(_put_once, self.store, key, body))
        self._wait(2 * _WRITERS)

    def _wait(self, most: int) -> None:
        while len(self._writing) > most:
            self._writing.pop(0).result()


def _put_once(store: ObjectStore, key: str, body: bytes) -> None:
    """Create an object unless an earlier attempt at this plan did."""
    with suppress(LostRace):
        store.put_if_absent(key, body)


def encode(lines: Iterable[Line]) -> bytes:
    """Return the bytes of a chunk."""
    return msgspec.msgpack.encode(list(lines))


def decode(body: bytes) -> list[Line]:
    """Read a chunk."""
    return msgspec.msgpack.decode(body, type=list[Line])
