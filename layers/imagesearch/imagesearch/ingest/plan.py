"""Plan a task: check every line, and split the lines into lanes of chunks.

A lane is worked off in the order of the file, and lines whose order matters go to one lane. So
whatever a file asks of a picture, or of a product as a whole, happens in the file's order,
however many workers there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from imagesearch.errors import LostRace
from imagesearch.ingest.house import Workshop
from imagesearch.ingest.lanes import Hold, LaneState, TurnLost, lane_states
from imagesearch.ingest.lines import Flaw, Line, read_lines
from imagesearch.ingest.problems import Flaws
from imagesearch.ingest.tasks import Plan, Task, exists
from imagesearch.ingest.ties import Ties
from imagesearch.storage import ObjectStore

__all__ = ["CHUNK", "decode", "planned", "shape", "split"]

CHUNK = 500
"""Lines that are written to the index at once, at most: as many pictures as one write may hold."""
_SMALL = 100
_FEW = 10
_LONG = 3
_WRITERS = 8


def shape(lines: int, most: int) -> tuple[int, int]:
    """Return into how many lanes so many lines are split, and into chunks of how many.

    Small tasks are split finely, so that several workers have something to do; from ten lanes
    on, each is to have three full chunks or more, since a lane costs requests of its own.
    """
    wanted = max(-(-lines // (_LONG * CHUNK)), min(_FEW, -(-lines // _SMALL)))
    lanes = max(1, min(most, wanted))
    return lanes, max(_SMALL, min(CHUNK, -(-lines // lanes)))


def planned(shop: Workshop, task: Task, worker: str) -> list[LaneState] | None:
    """Return the task's lanes, splitting it if it is not; ``None`` if somebody else is at it.

    Raises an ``IncrementRefused`` leaf when the file cannot be carried out.
    """
    keys = task.keys
    if exists(shop.store, keys.plan):
        return lane_states(shop.store, keys.lanes)
    _put_once(shop.store, keys.planning, msgspec.json.encode(LaneState(chunks=1, items=0)))
    hold = Hold.take(shop.store, keys.planning, worker, shop.now())
    if hold is None:
        return None
    try:
        states = split(shop, task, hold)
        hold.change(shop.now(), chunk=1, worker="", until=0)
    except TurnLost:
        return None
    return states


def split(shop: Workshop, task: Task, hold: Hold) -> list[LaneState]:
    """Write the chunks, then the lanes, then the plan: work begins only when all is well."""
    source = shop.source(task)

    def lines() -> Iterator[Line | Flaw]:
        for number, item in enumerate(read_lines(source.stream(task.meta))):
            if number % 1000 == 0:
                hold.renew_if_due(shop.now())
            yield item

    ties = _checked(lines())
    with ThreadPoolExecutor(_WRITERS) as pool:
        desk = _Desk(shop.store, task, pool, ties, [_Lane() for _ in range(task.lanes)])
        for item in lines():
            if isinstance(item, Line):
                desk.put(item)
        desk.close()
    states = [LaneState(chunks=lane.chunks, items=lane.items) for lane in desk.lanes]
    for number, state in enumerate(states):
        _put_once(shop.store, task.keys.lane(number), msgspec.json.encode(state))
    items = sum(lane.items for lane in desk.lanes)
    plan = Plan(lanes=task.lanes, items=items, began=shop.now())
    _put_once(shop.store, task.keys.plan, msgspec.json.encode(plan))
    return states


def _checked(items: Iterable[Line | Flaw]) -> Ties:
    """Return which lines must stay together, having checked every one."""
    flaws, lines, seen = Flaws(), 0, Ties.Seen()
    for item in items:
        lines += 1
        if isinstance(item, Flaw):
            flaws.add(item.error, item.number)
        else:
            seen.note(item)
    if flaws.total:
        raise flaws.refusal(lines)
    return seen.ties()


@dataclass(slots=True)
class _Lane:
    lines: list[Line] = field(default_factory=list)
    chunks: int = 0
    items: int = 0


@dataclass(slots=True)
class _Desk:
    """Collects lines into chunks; in memory are at most one chunk a lane.

    Lines that are tied go to the lane of what ties them. The others fill up one lane's chunk
    after the other's, so that chunks are full and lanes equally long.
    """

    store: ObjectStore
    task: Task
    pool: ThreadPoolExecutor
    ties: Ties
    lanes: list[_Lane]
    _filling: int = 0
    _writing: list[Future[None]] = field(default_factory=list)

    def put(self, line: Line) -> None:
        tie = self.ties.of(line)
        number = self._filling if tie is None else tie % len(self.lanes)
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
        self._filling = min(range(len(self.lanes)), key=lambda n: self.lanes[n].items)

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
