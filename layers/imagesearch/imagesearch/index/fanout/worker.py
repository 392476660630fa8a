"""One of the functions that share the segments of an index."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from imagesearch.errors import CorruptObject, NoRoom
from imagesearch.index.fanout.wire import LONGEST, Reply, Task, first_of, task_in
from imagesearch.index.keys import Keys
from imagesearch.index.manifest import Manifest, SegmentInfo
from imagesearch.index.policy import Policy
from imagesearch.index.ranking import Ranked
from imagesearch.index.search import rank_here
from imagesearch.index.shelf import Shelf
from imagesearch.index.view import View
from imagesearch.storage import ObjectStore

__all__ = ["MOST_GROUPS", "Worker"]

MOST_GROUPS = 400_000
"""Groups that a worker can tell apart for others; beyond it tells only how many it has."""
_ROOM = LONGEST * 3 // 4 - 10_000
"""Bytes of an answer before Base64."""
_LINGER = 300.0
"""Time (s) for which a segment is kept that is not asked for: others may be behind, or ahead."""
_FORGET = 3600.0
"""Time (s) for which an index is kept that is not asked for."""


@dataclass(slots=True)
class _Kept:
    """The opened segments of an index, and when each was last asked for."""

    shelf: Shelf
    asked: dict[str, tuple[float, SegmentInfo]] = field(default_factory=dict)

    def keep(self, task: Task, since: float) -> None:
        """Close the segments that were last asked for before ``since``."""
        self.asked = {name: found for name, found in self.asked.items() if found[0] >= since}
        self.shelf.keep_only(_manifest(task, [info for _, info in self.asked.values()]))


class Worker:
    """Ranks the segments it is given, of any index in a store; keeps what it has read.

    ``cache`` is a folder for files of segments (they are kept in memory if it is absent),
    ``clock`` tells the time in seconds.
    """

    def __init__(
        self,
        store: ObjectStore,
        cache: Path | None = None,
        *,
        parallel: int = 16,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._cache = store, cache
        self._parallel, self._clock = parallel, clock
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lock = Lock()

    def answer(self, event: Mapping[str, Any]) -> dict[str, str]:
        """Rank what an event asks for.

        A damaged object is part of the answer; anything else that goes wrong is raised, so that
        the function fails and is asked again.
        """
        task = task_in(event)
        try:
            return self._reply(task).wrapped()
        except CorruptObject as error:
            return {"corrupt": error.detail, "fix": error.fix}

    def _reply(self, task: Task) -> Reply:
        try:
            ranked = self._rank(task, self._prepared(task, _LINGER))
        except NoRoom:  # until all that this task does not need is let go of
            ranked = self._rank(task, self._prepared(task, 0.0))
        return _fitting(task, ranked)

    def _prepared(self, task: Task, linger: float) -> Shelf:
        now = self._clock()
        with self._lock:
            place = task.prefix, task.index
            if place not in self._kept:
                self._kept[place] = _Kept(self._shelf(*place))
            kept = self._kept[place]
            kept.asked |= {info.id: (now, info) for info in task.segments}
            kept.keep(task, now - linger)
            self._forget(place, now - (_FORGET if linger else 0.0))
            return kept.shelf

    def _shelf(self, prefix: str, index: str) -> Shelf:
        folder = hashlib.sha256(f"{prefix} {index}".encode()).hexdigest()[:32]
        cache = self._cache / folder if self._cache else None
        return Shelf(self._store, Keys(prefix), cache, parallel=self._parallel)

    def _forget(self, but: tuple[str, str], since: float) -> None:
        """Let go of the other indexes that were last asked for before ``since``."""
        for place, kept in [*self._kept.items()]:
            newest = max((asked for asked, _ in kept.asked.values()), default=0.0)
            if place != but and newest < since:
                kept.shelf.keep_only(Manifest(index=place[1], model="", generation=0))
                del self._kept[place]

    def _rank(self, task: Task, shelf: Shelf) -> Ranked:
        view = View(_manifest(task, task.segments), task.tail.tail(), shelf)
        policy = Policy(candidates=task.candidates, cold_candidates=task.cold_candidates)
        return rank_here(view, task.segments, task.query.query(), policy)


def _manifest(task: Task, segments: Sequence[SegmentInfo]) -> Manifest:
    """Return a manifest of some segments alone."""
    return Manifest(
        index=task.index,
        model=task.model,
        generation=0,
        tombs=task.tombs,
        segments=tuple(segments),
    )


def _fitting(task: Task, ranked: Ranked) -> Reply:
    """Return as much of what was found as an answer can carry; groups come with the first hits."""
    groups = None
    if ranked.groups is not None and ranked.groups.size <= MOST_GROUPS and not task.skip:
        groups = ranked.groups.astype("<u8").tobytes()
    hits, more = first_of(ranked.hits[task.skip :], _ROOM - len(groups or b""))
    return Reply(hits, ranked.total, groups, more)
