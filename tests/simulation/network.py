"""The way between a process and the bucket, where requests are lost, late or repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from imagesearch.catalogue import PictureKey
from imagesearch.errors import EngineUnavailable, ImageSearchError, StorageUnavailable
from imagesearch.index.engine import HeldRow, Nearest, Question
from imagesearch.storage import ObjectInfo, StoredObject

from tests.engines.exact import ExactEngine
from tests.simulation.bucket import Bucket
from tests.simulation.world import SECOND, Process

Result = TypeVar("Result")


@dataclass(frozen=True)
class Weather:
    """How bad the network is: chances per request, times in microseconds."""

    lost: float = 0.0
    answer_lost: float = 0.0
    late: float = 0.0
    stall: float = 0.0
    retries: int = 1
    slowest: int = SECOND // 10
    stalled: int = 20 * SECOND
    latest: int = 30 * SECOND
    page: int = 1000


CALM = Weather()


class Line:
    """The way of one process to a service: every request is a step of the simulation."""

    silence: type[StorageUnavailable] = StorageUnavailable

    def __init__(self, process: Process, weather: Weather = CALM) -> None:
        self._process = process
        self._weather = weather
        self.requests = 0

    def _request(self, apply: Callable[[], Result], writes: bool = False) -> Result:
        """Send a request, again if no answer comes; the same one may then arrive twice."""
        for _ in range(1 + self._weather.retries):
            try:
                return self._attempt(apply, writes)
            except TimeoutError:
                continue
        raise self.silence("nobody answers in this simulation.")

    def _attempt(self, apply: Callable[[], Result], writes: bool) -> Result:
        weather, chance = self._weather, self._process.world.random.random
        self.requests += 1
        self._travel()
        if chance() < weather.lost:
            self._travel(timeout=True)
        if writes and chance() < weather.late:
            self._arrive_late(apply)
            self._travel(timeout=True)
        try:
            answer, error = apply(), None
        except ImageSearchError as refused:
            error = refused
        self._travel(timeout=chance() < weather.answer_lost)
        if error is not None:
            raise error
        return answer

    def _travel(self, *, timeout: bool = False) -> None:
        world, weather = self._process.world, self._weather
        if timeout:
            self._process.pause(world.random.randrange(SECOND, 5 * SECOND))
            raise TimeoutError
        if world.random.random() < weather.stall:
            self._process.pause(world.random.randrange(weather.stalled))
        self._process.pause(world.random.randrange(1000, weather.slowest))

    def _arrive_late(self, apply: Callable[[], Result]) -> None:
        def arrive() -> None:
            with suppress(ImageSearchError):
                apply()

        world = self._process.world
        world.later(world.random.randrange(self._weather.latest), arrive)


class Connection(Line):
    """An ``ObjectStore`` as one process sees it."""

    def __init__(self, bucket: Bucket, process: Process, weather: Weather = CALM) -> None:
        super().__init__(process, weather)
        self._bucket = bucket

    def get(self, key: str) -> StoredObject:
        return self._request(lambda: self._bucket.get(key))

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        return self._request(lambda: self._bucket.get_if_changed(key, etag))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        return self._request(lambda: self._bucket.get_range(key, start, length))

    def head(self, key: str) -> ObjectInfo:
        return self._request(lambda: self._bucket.head(key))

    def put(self, key: str, body: bytes, *, content_type: str = "") -> str:
        return self._request(lambda: self._bucket.put(key, body, content_type=content_type), True)

    def put_if_absent(self, key: str, body: bytes) -> str:
        return self._request(lambda: self._bucket.put_if_absent(key, body), True)

    def compare_and_swap(self, key: str, body: bytes, etag: str) -> str:
        return self._request(lambda: self._bucket.compare_and_swap(key, body, etag), True)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        while True:
            page = self._request(lambda start=after: self._page(prefix, start))
            yield from page
            if len(page) < self._weather.page:
                return
            after = page[-1].key

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._request(lambda key=key: self._bucket.delete([key]), True)

    def presign_put(self, key: str, *, content_type: str, size: int, seconds: int) -> str:
        return self._bucket.presign_put(key, content_type=content_type, size=size, seconds=seconds)

    def presign_get(self, key: str, *, seconds: int) -> str:
        return self._bucket.presign_get(key, seconds=seconds)

    def _page(self, prefix: str, after: str) -> list[ObjectInfo]:
        keys = self._bucket.keys_after(prefix, after, self._weather.page)
        return [self._bucket.head(key) for key in keys]


class EngineLine(Line):
    """An ``Engine`` as one process sees it: slow to fill, and throttled now and then.

    What deletes a collection is never late.
    """

    silence = EngineUnavailable
    throttled = 0.08

    def __init__(self, engine: ExactEngine, process: Process, weather: Weather = CALM) -> None:
        super().__init__(process, weather)
        self._engine = engine
        self.name = engine.name
        self.deepest = engine.deepest
        self.named_at_once = engine.named_at_once

    def create(self) -> None:
        self._request(self._engine.create)

    def fill(self, rows: Sequence[HeldRow]) -> None:
        dice = self._process.world.random
        self._process.pause(dice.randrange(3 * SECOND))
        if self._weather is not CALM and dice.random() < self.throttled:
            raise EngineUnavailable("the simulated engine has too much to do.")
        self._request(lambda: self._engine.fill(rows), True)

    def remove(self, segment: str, keys: Iterable[PictureKey]) -> None:
        known = [*keys]
        self._request(lambda: self._engine.remove(segment, known), True)

    def nearest(self, question: Question) -> Nearest:
        return self._request(lambda: self._engine.nearest(question))

    def find(self, keys: Sequence[PictureKey], segments: Sequence[str]) -> Sequence[HeldRow]:
        return self._request(lambda: self._engine.find(keys, segments))

    def erase(self) -> None:
        self._request(self._engine.erase)
