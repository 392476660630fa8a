"""Work off a lane: look at its pictures, and write chunk after chunk to the index."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from imagesearch.catalogue import Instance, Picture, PictureKey, Region
from imagesearch.catalogue.thumbnails import Pack
from imagesearch.errors import (
    BadRequest,
    ImageSearchError,
    IncrementRefused,
    InstanceFull,
    ModelError,
    NotYetVisible,
    PictureStopsWorker,
    StorageError,
    StorageUnavailable,
    UnknownInstance,
)
from imagesearch.index import Deletion, Entry, OfPicture, OfProduct, operation_number
from imagesearch.ingest.house import Workshop
from imagesearch.ingest.lanes import LEASE, Failure, Hold, merged
from imagesearch.ingest.lines import Line
from imagesearch.ingest.plan import decode
from imagesearch.ingest.preflight import folder_of
from imagesearch.ingest.room import Room
from imagesearch.ingest.source import Source
from imagesearch.ingest.tasks import Task, exists, found
from imagesearch.observe import logger
from imagesearch.vision import Vision

__all__ = ["MARGIN", "Batch", "work_lane"]

MARGIN = 45.0
"""Seconds before the end of its time at which a worker writes what it has and stops."""

_READERS = 4
_AHEAD = 12
_APPEND_TRIES = 3


Outcome = Literal["finished", "stopped", "out of time"]


@dataclass(slots=True)
class Batch:
    """What some lines in a row come to: one write of the index, and the lines that failed.

    In a write deletions come before entries, so an entry that a later line deletes is dropped
    here, and a deletion may be followed by an entry of the same picture.
    """

    entries: dict[PictureKey, Entry] = field(default_factory=dict)
    deletions: list[Deletion] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    thumbnails: Pack = field(default_factory=Pack)
    added: int = 0
    deleted: int = 0

    def add(self, entry: Entry) -> None:
        """Add a picture."""
        self.entries[entry.picture.key] = entry
        self.added += 1

    def delete(self, line: Line) -> None:
        """Delete one picture, or all of a product."""
        self.deleted += 1
        if line.pic_name:
            self.entries.pop(line.key, None)
            self.deletions.append(OfPicture(line.key))
            return
        for key in [key for key in self.entries if key.product_id == line.product_id]:
            del self.entries[key]
        self.deletions.append(OfProduct(line.product_id))

    def fail(self, line: Line, error: ImageSearchError) -> None:
        """Note a line that cannot be carried out."""
        self.failures.append(
            Failure(line.number, line.product_id, line.pic_name, error.code, error.detail)
        )


@dataclass(slots=True)
class _Bench:
    """One worker's turn on one lane."""

    shop: Workshop
    task: Task
    lane: int
    hold: Hold
    instance: Instance
    vision: Vision
    source: Source
    time_left: Callable[[], float]

    def part(self, lines: Sequence[Line]) -> None:
        """Carry out the rest of a chunk, or as much as there is time for."""
        state = self.hold.state
        fixed = state.upto > state.offset
        end = state.upto if fixed else len(lines)
        if state.tries and self._is_written(end):
            batch = self._as_written(lines[state.offset : end])
        else:
            batch, end = self._carried_out(lines[:end], fixed=fixed)
            self._write(batch, end)
        self._move_on(batch, end, whole=end == len(lines))

    def _carried_out(self, lines: Sequence[Line], *, fixed: bool) -> tuple[Batch, int]:
        """Look at the pictures; return what comes of the lines and, unless ``fixed``, their end.

        An end that is not the whole's is noted, so that whoever goes on after us stops there too.
        """
        batch, start = Batch(), self.hold.state.offset
        room = self._room(lines[start:])
        with ThreadPoolExecutor(_READERS) as pool:
            for place, (line, image) in enumerate(self._images(pool, lines[start:]), start=start):
                if not fixed and place > start and self.time_left() < MARGIN:
                    self.hold.renew(self.shop.now(), upto=place, at=-1)
                    return batch, place
                self._carry_out(batch, line, image, place, room)
        return batch, len(lines)

    def _room(self, lines: Sequence[Line]) -> Room | None:
        """Return what bounds the pictures that the lines may add, if anything does."""
        if not self.task.most:
            return None
        snapshot = self.shop.house.open(self.task.instance).snapshot
        return Room.of_lines(lines, snapshot, self.task.most)

    def _images(
        self, pool: ThreadPoolExecutor, lines: Sequence[Line]
    ) -> Iterator[tuple[Line, Future[bytes] | None]]:
        """Yield lines with their pictures, which are read ahead."""
        ahead: deque[tuple[Line, Future[bytes] | None]] = deque()
        try:
            for line in lines:
                image = (
                    pool.submit(self.source.picture, folder_of(self.task.path), line.pic_name)
                    if line.adds
                    else None
                )
                ahead.append((line, image))
                if len(ahead) > _AHEAD:
                    yield ahead.popleft()
            while ahead:
                yield ahead.popleft()
        finally:
            for _, image in ahead:
                if image:
                    image.cancel()

    def _carry_out(
        self,
        batch: Batch,
        line: Line,
        image: Future[bytes] | None,
        place: int,
        room: Room | None,
    ) -> None:
        now = self.shop.now()
        if self.hold.state.careful:
            self.hold.renew(now, at=place)
        else:
            self.hold.renew_if_due(now)
        if image is None:
            batch.delete(line)
            if room:
                room.free(line)
            return
        try:
            if place in self.hold.state.poisoned():
                raise PictureStopsWorker(
                    f"{self.hold.state.deaths[place]} workers ended while looking at it."
                )
            if room:
                room.check(line.key)
            batch.add(self._look(line, image.result(), batch.thumbnails))
            if room:
                room.take(line.key)
        except (IncrementRefused, StorageError, ModelError):
            raise
        except (BadRequest, InstanceFull) as error:
            batch.fail(line, error)
        except Exception as error:
            logger().exception("picture failed", extra={"line": line.number})
            batch.fail(line, ImageSearchError(f"it ended in {type(error).__name__}."))

    def _look(self, line: Line, image: bytes, thumbnails: Pack) -> Entry:
        made: list[bytes] = []
        view = self.vision.look(
            image,
            self.instance.service,
            region=Region(*line.region) if line.region else None,
            crop=line.crop,
            category_id=line.category_id,
            on_thumbnail=made.append if self.shop.thumbnails else None,
            meaning=True,
        )
        thumbnail = thumbnails.add(made[0]) if made else ""
        given = line.owner_attributes()
        picture = Picture(line.key, view.category_id, view.region, given, thumbnail, view.classes)
        return Entry.of(picture, view.vector, view.meaning)

    def _operation(self, end: int) -> str:
        state = self.hold.state
        place = f"{self.lane}/{state.chunk}/{state.offset}-{end}"
        return f"increment/{self.task.keys.work}{place}"

    def _is_written(self, end: int) -> bool:
        """Tell whether a worker before us wrote this part to the index and came no further."""
        placed = self.shop.house.place(self.task.instance)
        return operation_number(self._operation(end)) in placed.place.operations

    def _as_written(self, lines: Sequence[Line]) -> Batch:
        """Return the outcomes of a part that is in the index already."""
        state = self.hold.state
        key = self.task.keys.failed(self.lane, state.chunk, state.offset)
        failures = found(self.shop.store, key, list[Failure]) or []
        added = sum(line.adds for line in lines) - len(failures)
        return Batch(failures=failures, added=added, deleted=sum(not line.adds for line in lines))

    def _write(self, batch: Batch, end: int) -> None:
        """Write failures, then the part; a part that is in the index has its failures told."""
        state = self.hold.state
        if batch.failures or state.tries:
            key = self.task.keys.failed(self.lane, state.chunk, state.offset)
            self.shop.store.put(key, msgspec.json.encode(batch.failures))
        if batch.entries or batch.deletions:
            self._append(batch, self._operation(end))

    def _move_on(self, batch: Batch, end: int, *, whole: bool) -> None:
        """Set the lane to the next part, and give it back if there is none."""
        state, now = self.hold.state, self.shop.now()
        chunk = state.chunk + 1 if whole else state.chunk
        last = chunk >= state.chunks
        self.hold.change(
            now,
            worker="" if last else state.worker,
            until=0 if last else now + LEASE,
            at=-1,
            chunk=chunk,
            offset=0 if whole else end,
            upto=0,
            tries=0 if whole else state.tries,
            deaths={} if whole else state.deaths,
            added=state.added + batch.added,
            deleted=state.deleted + batch.deleted,
            failed=state.failed + len(batch.failures),
            first=merged(state.first, batch.failures),
        )

    def _append(self, batch: Batch, operation_id: str) -> None:
        house = self.shop.house
        if batch.entries:
            batch.thumbnails.write(self.shop.store, self.instance)
        for attempt in range(_APPEND_TRIES):
            opened = house.place(self.task.instance)
            if opened.instance.incarnation != self.task.incarnation:
                raise UnknownInstance(f"instance {self.task.instance!r} was erased.")
            if opened.instance.model != self.instance.model:
                raise StorageUnavailable(
                    f"instance {self.task.instance!r} moved to the bundle "
                    f"{opened.instance.model!r} while pictures were looked at."
                )
            self.hold.renew_if_due(self.shop.now())
            try:
                opened.index.append(
                    [*batch.entries.values()],
                    batch.deletions,
                    after=opened.place,
                    operation_id=operation_id,
                )
            except (StorageUnavailable, NotYetVisible):
                if attempt == _APPEND_TRIES - 1:
                    raise
                continue
            house.wrote(opened)
            return


def work_lane(
    shop: Workshop, task: Task, lane: int, hold: Hold, time_left: Callable[[], float]
) -> Outcome:
    """Work off a lane until it is finished, told to stop or out of time.

    Raises :class:`~imagesearch.ingest.lanes.TurnLost` when somebody else has the lane, an
    ``IncrementRefused`` leaf, :class:`UnknownInstance` or
    :class:`~imagesearch.errors.ModelMismatch` when the task cannot go on at all.
    """
    instance = shop.house.instances.get(task.instance)
    if instance.incarnation != task.incarnation:
        raise UnknownInstance(f"instance {task.instance!r} was erased.")
    vision = shop.house.vision_of(instance)
    bench = _Bench(shop, task, lane, hold, instance, vision, shop.source(task), time_left)
    outcome = _worked(bench)
    if hold.state.worker:
        hold.give_back(shop.now())
    return outcome


def _worked(bench: _Bench) -> Outcome:
    store, keys, hold = bench.shop.store, bench.task.keys, bench.hold
    while not hold.state.finished:
        if exists(store, keys.stop):
            return "stopped"
        if bench.time_left() < MARGIN:
            return "out of time"
        bench.part(decode(store.get(keys.chunk(bench.lane, hold.state.chunk)).body))
    return "finished"
