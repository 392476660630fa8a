"""Lanes: the lines of a task that one worker at a time works off, in the order of the file.

A lane's state is one object that is only ever changed by compare-and-swap. It says how far the
lane is and, by a lease, whose turn it is; a worker that has lost its turn cannot move it any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from imagesearch.errors import LostRace
from imagesearch.ingest.problems import SHOWN
from imagesearch.ingest.tasks import read
from imagesearch.storage import ObjectStore

__all__ = ["LEASE", "Failure", "Hold", "LaneState", "TurnLost"]

LEASE = 60 * 1_000_000
"""For how long a worker that does not renew its turn keeps it, in microseconds."""
RENEW = LEASE * 3 // 4
"""A worker renews its turn when it has had it for this long."""
DEATHS = 2
"""Workers that may end over one picture before it is left out."""


class Failure(msgspec.Struct, frozen=True):
    """A line that was not carried out, and why."""

    line: int
    product_id: str
    pic_name: str
    code: str
    message: str


class LaneState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a lane stands.

    ``chunk`` and ``offset`` are the place of the next line. The rest of a chunk is one write to
    the index, whoever makes it. ``upto`` is set before only a part of it is written and says where
    that part ends, so that whoever goes on after a crash makes the very same write again.
    ``tries`` counts the workers that ended over this chunk. ``at`` is the place in the chunk of
    the picture that is being looked at, noted only when there were some, and ``deaths`` counts
    how many ended at which place. Times are in microseconds.
    """

    chunks: int
    items: int
    chunk: int = 0
    offset: int = 0
    upto: int = 0
    added: int = 0
    deleted: int = 0
    failed: int = 0
    first: tuple[Failure, ...] = ()
    worker: str = ""
    until: int = 0
    tries: int = 0
    at: int = -1
    deaths: dict[int, int] = {}
    changed: int = 0

    @property
    def finished(self) -> bool:
        """Tell whether nothing is left to do."""
        return self.chunk >= self.chunks

    @property
    def done(self) -> int:
        """Return how many items have an outcome."""
        return self.added + self.deleted + self.failed

    @property
    def careful(self) -> bool:
        """Tell whether the picture to be looked at must be noted first."""
        return self.tries >= DEATHS

    def held(self, now: int) -> bool:
        """Tell whether it is some worker's turn."""
        return bool(self.worker) and self.until > now

    def poisoned(self) -> frozenset[int]:
        """Return the places in the chunk that are to be left out."""
        return frozenset(place for place, count in self.deaths.items() if count >= DEATHS)


# Made at import: msgspec crashes when several threads use a struct for the first time at once.
_state = msgspec.json.Decoder(LaneState)


class TurnLost(Exception):
    """Another worker has the lane now."""


@dataclass(slots=True)
class Hold:
    """A worker's turn on a lane. Every change raises :class:`TurnLost` if it is over."""

    store: ObjectStore
    key: str
    state: LaneState
    etag: str

    @classmethod
    def take(cls, store: ObjectStore, key: str, worker: str, now: int) -> Hold | None:
        """Take a turn; ``None`` if the lane is finished or it is somebody else's turn.

        A worker of the same name takes over at once: it is the same event, tried again.
        """
        stored = store.get(key)
        state = _state.decode(stored.body)
        if state.finished or (state.held(now) and state.worker != worker):
            return None
        hold = cls(store, key, state, stored.etag)
        change: dict[str, Any] = {"worker": worker, "until": now + LEASE, "at": -1}
        if state.worker:  # whoever had the turn did not give it back
            change["tries"] = state.tries + 1
            if state.at >= 0:
                deaths = state.deaths.get(state.at, 0) + 1
                change["deaths"] = {**state.deaths, state.at: deaths}
        try:
            hold.change(now, **change)
        except TurnLost:
            return None
        return hold

    def change(self, now: int, **fields: Any) -> None:  # noqa: ANN401  the state's own fields
        """Set fields of the state."""
        after = msgspec.structs.replace(self.state, **{"changed": now, **fields})
        try:
            etag = self.store.compare_and_swap(self.key, msgspec.json.encode(after), self.etag)
        except LostRace:
            raise TurnLost(self.key) from None
        self.state, self.etag = after, etag

    def renew(self, now: int, **fields: Any) -> None:  # noqa: ANN401  the state's own fields
        """Keep the turn for another lease."""
        self.change(now, until=now + LEASE, **fields)

    def renew_if_due(self, now: int) -> None:
        """Keep the turn if a part of the lease is used up."""
        if self.state.until - now < LEASE - RENEW:
            self.renew(now)

    def give_back(self, now: int) -> None:
        """End the turn."""
        self.change(now, worker="", until=0, at=-1)

    def give_up(self, now: int) -> None:
        """End the turn without knowing what became of the last write."""
        self.change(now, worker="", until=0, at=-1, tries=self.state.tries + 1)


def merged(first: tuple[Failure, ...], more: list[Failure]) -> tuple[Failure, ...]:
    """Return the first failures of both, by line."""
    return tuple(sorted([*first, *more], key=lambda failure: failure.line)[:SHOWN])


def lane_states(store: ObjectStore, prefix: str) -> list[LaneState]:
    """Read the states of all lanes, in order."""
    from concurrent.futures import ThreadPoolExecutor

    keys = [info.key for info in store.list(prefix)]
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(lambda key: read(store, key, LaneState), keys))
