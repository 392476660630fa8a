"""Hand an instance over to a vector engine elsewhere, and take it back.

::

    here --begin--> filling --fill--> ready --switch--> serving
      ^                |                |  <---back------'
      '-----drop-------+----------------'

Where an instance stands follows from its index's manifest alone, so whoever was interrupted, or
killed, calls the same again and goes on. From ``begin`` on every new segment is given to the
engine before the manifest names it, so the log stays the truth and nothing that was acknowledged
can be missing there. Writes never pause. After ``back`` searches are answered here at once; the
engine goes on being filled, until ``drop`` erases what it holds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from imagesearch.catalogue import Instance
from imagesearch.errors import Conflict, InvalidField, UnknownInstance
from imagesearch.index.engine import Engine
from imagesearch.index.manifest import Manifest
from imagesearch.operations.agreement import Agreement, compare_rankings, questions
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.engines import collection
from imagesearch.operations.live_queries import forget_live, kept_live, live_queries
from imagesearch.operations.moves import Moves

__all__ = ["Handover", "Stage", "Standing"]

_PAUSES = (1.0, 3.0, 10.0, 30.0)
"""Seconds after which what the engine refused, a few tries included, is given to it once more."""
_SETTLING = 30.0
"""Seconds for which a search that began before :meth:`Handover.back` may still ask the engine."""


class Stage(StrEnum):
    """How far a hand-over is."""

    HERE = "here"
    FILLING = "filling"
    READY = "ready"
    SERVING = "serving"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an instance stands.

    Of ``rows`` in segments, of which ``dead`` are of pictures that were deleted or replaced, the
    ``engine`` holds ``held``; ``log`` objects are in no segment yet, and are always looked at here.
    ``live`` searches are kept to compare answers with.
    """

    instance: str
    stage: Stage
    engine: str
    rows: int
    dead: int
    held: int
    log: int
    live: int


class Handover:
    """The hand-over of one instance; any number may be at work on it."""

    def __init__(self, deployment: Deployment, name: str) -> None:
        deployment.instances.doubt(name)
        self.instance = deployment.instances.get(name)
        self._deployment = deployment
        self._index = deployment.index(self.instance)
        self._moves = Moves(deployment.store, self.instance)

    def standing(self) -> Standing:
        """Tell where the instance stands now."""
        snapshot = self._index.snapshot()
        manifest = snapshot.manifest
        return Standing(
            self.instance.name,
            _stage(manifest),
            manifest.outpost.name if manifest.outpost else "",
            sum(info.rows for info in manifest.segments),
            sum(manifest.dead.values()),
            _held(manifest),
            snapshot.log_length,
            kept_live(self._deployment.store, self.instance),
        )

    def begin(self, to: str = "") -> str:
        """Give every new segment to an engine from here on; return the engine's name.

        ``to`` names it as the command line does. Raises :class:`Conflict` if the instance is
        moving, is given to another engine already or just now by somebody else, or the engine's
        collection is another's, and
        :class:`~imagesearch.errors.EngineUnavailable` if the engine does not answer.
        """
        manifest = self._index.snapshot().manifest
        if manifest.outpost and not to:
            return manifest.outpost.name
        name = collection(self._deployment.settings, self.instance, manifest, to)
        if manifest.outpost and manifest.outpost.name == name:
            return name
        self._check_free(manifest, name)
        engine = self._engine(name)  # whatever is wrong with the name is told first
        self._note(name)
        try:
            engine.create()
        except Conflict:  # it is somebody else's, and holds nothing of this instance
            self._forget(name)
            raise
        self._index.attach(name)
        return name

    def fill(
        self,
        on_progress: Callable[[int, int], None] = lambda _held, _rows: None,
        *,
        has_time: Callable[[], bool] = lambda: True,
    ) -> Standing:
        """Give the engine the segments that it lacks, while there is time.

        ``on_progress`` is told how many rows of how many it holds. The next call goes on where
        this one, or one that was killed, ended.
        """
        self._engine_name()
        self._index.fill(on_progress, has_time=has_time, pauses=_PAUSES)
        return self.standing()

    def compare(
        self,
        count: int,
        *,
        seed: int | None = None,
        on_progress: Callable[[], None] = lambda: None,
        has_time: Callable[[], bool] = lambda: True,
    ) -> Agreement:
        """Search ``count`` times by the engine and here, in one and the same state of the index.

        The searches are live ones that were kept; stored pictures are searched for where those
        are too few. Segments that the engine does not hold are ranked here in both.
        """
        name = self._engine_name()
        snapshot = self._index.snapshot()
        there = snapshot.outposts.ranking(name)
        live = live_queries(self._deployment.store, self.instance)
        seed = random.SystemRandom().getrandbits(32) if seed is None else seed
        asked = questions(live, snapshot, count, seed=seed)
        return compare_rankings(snapshot, there, asked, on_progress=on_progress, has_time=has_time)

    def switch(self) -> Standing:
        """Have searches ask the engine from here on.

        Raises :class:`Conflict` while it lacks a segment.
        """
        self._engine_name()
        self._check_still()
        while True:
            standing = self.standing()
            if standing.held < standing.rows:
                raise Conflict(
                    f"the engine holds {standing.held:,} of {standing.rows:,} rows.",
                    fix=f"Go on filling it: imagesearch handover {self.instance.name}",
                )
            if self._index.switch(serving=True):
                return self.standing()

    def back(self) -> Standing:
        """Have searches answered here again, at once; the engine keeps what it holds."""
        self._engine_name()
        while not self._index.switch(serving=False):
            pass
        return self.standing()

    def drop(self, *, lost: bool = False, sleep: Callable[[float], None] = time.sleep) -> list[str]:
        """Have no engine any more, and erase what engines hold of it; return their names.

        Raises :class:`Conflict` while searches ask it, or the instance is moving. What an
        interrupted one has left is erased by the next. An engine that is ``lost`` for good is
        only let go: nothing is asked of it, and whatever it still holds stays there.
        """
        manifest = self._index.snapshot().manifest
        if manifest.outpost and manifest.outpost.serving:
            raise Conflict(
                f"searches of instance {self.instance.name!r} ask {manifest.outpost.name}.",
                fix=f"First: imagesearch handover {self.instance.name} --back",
            )
        self._check_still()
        known = self.engines
        if manifest.outpost:
            self._note(manifest.outpost.name)
            self._index.detach()
            sleep(_SETTLING)
        for name in known:
            if not lost:
                self._engine(name).erase()
            self._forget(name)
        forget_live(self._deployment.store, self.instance)
        return known

    def _engine(self, name: str) -> Engine:
        return self._deployment.engines.of(self.instance.prefix)(name)

    def _note(self, name: str) -> None:
        """Note that an engine may hold something of the index from now on."""
        self._moves.change_engines(lambda noted: {**noted, name: self.instance.prefix})

    def _forget(self, name: str) -> None:
        self._moves.change_engines(lambda noted: {n: p for n, p in noted.items() if n != name})

    def _engine_name(self) -> str:
        outpost = self._index.snapshot().manifest.outpost
        if outpost is None:
            raise Conflict(
                f"instance {self.instance.name!r} is not handed over to any engine.",
                fix=f"Begin with: imagesearch handover {self.instance.name} --to ENGINE",
            )
        return outpost.name

    def _check_free(self, manifest: Manifest, name: str) -> None:
        """Raise unless the instance stands still, and neither it nor the engine is taken."""
        if manifest.outpost:
            raise Conflict(
                f"instance {self.instance.name!r} is handed over to {manifest.outpost.name}.",
                fix=f"First: imagesearch handover {self.instance.name} --back --drop",
            )
        self._check_still()
        if self._moves.engines.get(name, self.instance.prefix) != self.instance.prefix:
            raise InvalidField(
                "to",
                f"{name} holds an earlier index of instance {self.instance.name!r}.",
                fix="Name another collection, or none: one is made for the index.",
            )
        for other in self._deployment.instances:
            if other.name == self.instance.name:
                continue
            if name in self._engines_of(other):
                raise InvalidField(
                    "to",
                    f"{name} holds instance {other.name!r}.",
                    fix="Name another collection, or none: one is made for the instance.",
                )

    def _engines_of(self, other: Instance) -> set[str]:
        """Return the engines that may hold something of another instance."""
        with suppress(UnknownInstance):  # erased meanwhile
            work = Handover(self._deployment, other.name)
            return {*work.engines, *work._moves.engines}
        return set()

    def _check_still(self) -> None:
        """Raise if the instance is just being moved to another index."""
        if self._moves.under_way or self._index.place().manifest.state != "open":
            raise Conflict(
                f"instance {self.instance.name!r} is just being moved to another index.",
                fix="Wait for imagesearch reindex or erase; if it was interrupted: "
                "imagesearch reindex --cancel.",
            )

    @property
    def engines(self) -> list[str]:
        """Return the engines that may hold something of the index in force, also if left over."""
        outpost = self._index.place().manifest.outpost
        noted = [n for n, prefix in self._moves.engines.items() if prefix == self.instance.prefix]
        return sorted({*noted, *([outpost.name] if outpost else [])})


def _stage(manifest: Manifest) -> Stage:
    if manifest.outpost is None:
        return Stage.HERE
    if manifest.outpost.serving:
        return Stage.SERVING
    rows = sum(info.rows for info in manifest.segments)
    return Stage.READY if _held(manifest) == rows else Stage.FILLING


def _held(manifest: Manifest) -> int:
    name = manifest.outpost.name if manifest.outpost else None
    return sum(info.rows for info in manifest.segments if info.held == name)
