"""Workers in this process, reached as those in other processes are: by JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from imagesearch.errors import FanOutUnavailable
from imagesearch.index import Answer, Policy, Query, Snapshot
from imagesearch.index.fanout import FanOut, Worker
from imagesearch.index.manifest import Manifest
from imagesearch.storage import ObjectStore


class Team:
    """Some workers on a store; ``before`` may raise in place of one, ``asked`` counts events."""

    def __init__(
        self,
        store: ObjectStore,
        workers: int,
        cache: Path | None = None,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.workers = [
            Worker(store, cache / str(n) if cache else None, parallel=1, clock=clock)
            for n in range(workers)
        ]
        self.before: Callable[[int], None] = lambda _worker: None
        self.asked: list[tuple[int, int]] = []
        self.answered: list[int] = []
        self.events: list[bytes] = []

    def __call__(self, worker: int, event: bytes) -> bytes:
        self.asked.append((worker, len(event)))
        self.events.append(event)
        self.before(worker)
        try:
            answer = self.workers[worker].answer(json.loads(event))
        except Exception as error:
            raise FanOutUnavailable(f"worker {worker} raised {error!r}") from error
        encoded = json.dumps(answer).encode()
        self.answered.append(len(encoded))
        return encoded

    def ranking(self, prefix: str, policy: Policy, *, rows: int = 1) -> FanOut:
        return FanOut(prefix=prefix, ask=self, workers=len(self.workers), rows=rows, policy=policy)


class Fanned:
    """A snapshot whose segments a team searches."""

    def __init__(self, snapshot: Snapshot, ranking: FanOut) -> None:
        self.snapshot, self.ranking = snapshot, ranking

    @property
    def manifest(self) -> Manifest:
        return self.snapshot.manifest

    def search(self, query: Query) -> Answer:
        return self.snapshot.search(query, ranking=self.ranking)
