"""One instance's index: the door to everything in this room."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from imagesearch.errors import (
    InstanceMoving,
    LostRace,
    NoSuchObject,
    NotYetVisible,
    StorageUnavailable,
)
from imagesearch.index.attachment import attach, detach, fill_next, lacking, switch
from imagesearch.index.clock import MAX_CLOCK, Clock, SystemClock, tick
from imagesearch.index.engine import Engine
from imagesearch.index.erasing import erase
from imagesearch.index.keeper import Keeper
from imagesearch.index.keys import Keys
from imagesearch.index.log import (
    Change,
    Deletion,
    Entry,
    LogObject,
    Version,
    check_sizes,
    latest_of_each,
    operation_number,
)
from imagesearch.index.manifest import Manifest, State
from imagesearch.index.outposts import Outposts
from imagesearch.index.place import After, Place
from imagesearch.index.policy import Policy
from imagesearch.index.reader import Reader
from imagesearch.index.rollback import Generation, earlier, generations, rollback
from imagesearch.index.scrub import Scrubbed, scrub
from imagesearch.index.shelf import Shelf
from imagesearch.index.snapshot import Snapshot
from imagesearch.index.standing import enter
from imagesearch.index.tail import Tail
from imagesearch.index.upkeep import Maintained, fold, maintain
from imagesearch.index.view import View
from imagesearch.storage import ObjectStore

__all__ = ["Index"]

_NAP = 0.05


class Index:
    """The index below one prefix of a store. Thread-safe; keeps caches between calls.

    ``model`` is the bundle whose vectors are indexed, ``cache`` a folder for segment files (kept
    in memory if absent). ``aside`` is for whoever moves an instance from one index to another: it
    reads a retired index and writes to a frozen one. ``engines`` opens the engine elsewhere that
    a manifest names.
    """

    def __init__(
        self,
        store: ObjectStore,
        prefix: str,
        *,
        model: str,
        clock: Clock | None = None,
        cache: Path | None = None,
        policy: Policy | None = None,
        aside: bool = False,
        engines: Callable[[str], Engine] | None = None,
    ) -> None:
        self.policy = policy or Policy()
        self._store = store
        self._keys = Keys(prefix)
        self._model = model
        self._aside = aside
        self._clock = clock or SystemClock()
        self._reader = Reader(
            store,
            self._keys,
            model=model,
            clock=self._clock,
            policy=self.policy,
            cache=cache,
            aside=aside,
        )
        self._outposts = Outposts(engines, self.policy.parallel)
        self._keeper = Keeper(store, self._keys, self._reader, self.policy, self._outposts)
        self._cache = cache
        self._past = 0, self._reader.shelf

    @property
    def downloads(self) -> int:
        """Return how many segment files this process had to fetch from the store so far."""
        return self._reader.shelf.downloads

    def create(self) -> None:
        """Make the index, empty; nothing happens if it exists."""
        manifest = Manifest(index=secrets.token_hex(16), model=self._model, generation=1)
        try:
            self._store.put_if_absent(self._keys.manifest, manifest.encode())
        except LostRace:
            self._reader.manifest()

    def exists(self) -> bool:
        """Tell whether the index is there, in whatever state."""
        try:
            self._store.head(self._keys.manifest)
        except NoSuchObject:
            return False
        return True

    def snapshot(self, *, min_sequence: int | None = None) -> Snapshot:
        """Return the index as it is now, with every write acknowledged before the call.

        With ``min_sequence`` waits up to ``policy.wait`` seconds for that sequence, then raises
        :class:`NotYetVisible`. Raises :class:`UnknownInstance` if there is no such index and
        :class:`ModelMismatch` if it was built with another model.
        """
        deadline = self._clock.monotonic() + self.policy.wait
        while True:
            snapshot = Snapshot.of(self._reader.observe(), self.policy, self._outposts)
            if min_sequence is None or snapshot.sequence >= min_sequence:
                return snapshot
            if self._clock.monotonic() >= deadline:
                raise NotYetVisible(
                    f"sequence {min_sequence} is not visible; the newest is {snapshot.sequence}.",
                    field="min_sequence",
                )
            self._clock.sleep(_NAP)

    def place(self) -> Place:
        """Return where a write belongs, for a writer that does not look at what is there.

        Costs a listing and a look at the manifest, however much others wrote meanwhile. Raises as
        :meth:`snapshot` does.
        """
        return self._reader.place()

    def append(
        self,
        entries: Sequence[Entry] = (),
        deletions: Sequence[Deletion] = (),
        changes: Sequence[Change] = (),
        *,
        after: After,
        operation_id: str | None = None,
    ) -> int:
        """Write up to 500 entries, 500 changes and 10 000 deletions; return the sequence.

        All of it is done or nothing. The write is durable, and in every snapshot begun from here
        on, when this returns. It is later than everything in ``after``. Deletions come first,
        then entries, of which the last with a key counts, then changes in their order. A change
        of a picture that is not there does nothing. An ``operation_id`` names one write: if
        ``after`` still knows one of that name, its sequence is returned and nothing is written.
        A repeat that overtakes the first attempt on its way is a write of its own, with the same
        content.
        """
        check_sizes(entries, deletions, changes)
        if after.manifest.state != "open" and not self._aside:
            raise InstanceMoving(
                "writes pause for about a minute while the instance moves to another model bundle.",
                fix="Try again in a minute; if nobody moves it: imagesearch reindex --cancel.",
            )
        operation = operation_number(operation_id or secrets.token_hex(16))
        if operation in after.operations:
            return after.operations[operation]
        version = Version(tick(self._clock.now(), after.sequence), operation)
        if version.clock > MAX_CLOCK:
            raise StorageUnavailable(f"the clock has run to {version.clock}, past {MAX_CLOCK}.")
        write = LogObject(
            after.manifest.index,
            version,
            after.newest,
            self._model,
            tuple(deletions),
            latest_of_each(entries),
            tuple(changes),
        )
        self._check_deadline(after)
        self._store.put_if_absent(self._keys.log(version.name), write.encode())
        self._check_deadline(after)
        self._reader.wrote(write)
        return version.clock

    def fold(self) -> bool:
        """Turn the log's tail into a segment; false if there was none or somebody else did."""
        return fold(self._keeper)

    def maintain(self) -> Maintained:
        """Fold, settle, merge and collect, each if it is due; any number may run at once."""
        return maintain(self._keeper)

    def pin(self) -> int:
        """Return a generation that holds every write acknowledged before the call.

        The log is folded for it, unless it is empty. :meth:`at` shows the generation for a day.
        """
        while self._reader.observe().view.tail.names:
            if self.fold():
                break
        return self._reader.manifest().manifest.generation

    def at(self, generation: int) -> View:
        """Return the index as it was in a generation, without the log that came after it.

        Raises :class:`~imagesearch.errors.UnknownGeneration` if it is not in the history.
        """
        now = self._reader.manifest().manifest
        if now.generation == generation:
            return View(now, Tail(), self._reader.shelf)
        known, shelf = self._past
        if known != generation:
            cache = self._cache / "past" if self._cache else None
            shelf = Shelf(self._store, self._keys, cache, parallel=self.policy.parallel)
            self._past = generation, shelf
        return View(earlier(self._keeper, generation), Tail(), shelf)

    def generations(self) -> list[Generation]:
        """Return the generations that :meth:`rollback` can go back to, oldest first."""
        return generations(self._keeper)

    def rollback(self, to: int) -> int:
        """Make the pictures be those of an earlier generation; return the new generation.

        Every write that generation had not folded is undone. Raises
        :class:`~imagesearch.errors.UnknownGeneration` if it is not in the history.
        """
        return rollback(self._keeper, to)

    def enter(self, state: State, *, sequence: int = 0) -> None:
        """Open, freeze or retire the index; its sequence is at least ``sequence`` afterwards.

        Writes that began before :meth:`enter` may be acknowledged for ``policy.write_deadline``
        more seconds; none after that.
        """
        enter(self._keeper, state, sequence=sequence)

    def attach(self, engine: str) -> None:
        """Have an engine elsewhere be given every new segment before the manifest names it.

        It holds nothing as yet, and is not asked. Raises
        :class:`~imagesearch.errors.EngineUnavailable` if it does not answer, and
        :class:`~imagesearch.errors.Conflict` if another is attached or its collection is somebody
        else's.
        """
        attach(self._keeper, engine)

    def fill(
        self,
        on_progress: Callable[[int, int], None] = lambda _held, _rows: None,
        *,
        has_time: Callable[[], bool] = lambda: True,
        pauses: Sequence[float] = (),
    ) -> bool:
        """Give the attached engine the segments that it lacks, while there is time.

        ``on_progress`` is told how many rows of how many it holds; ``has_time`` is asked before
        each segment; after ``pauses`` (seconds) what the engine refused is tried again. Return
        whether it holds all. The next call goes on where this one ended, or died. Raises
        :class:`~imagesearch.errors.EngineUnavailable`.
        """
        waits = [partial(self._clock.sleep, pause) for pause in pauses]
        while has_time():
            if not fill_next(self._keeper, on_progress, waits):
                return True
        return not lacking(self._reader.manifest().manifest)

    def switch(self, *, serving: bool) -> bool:
        """Have searches ask the attached engine, or no longer; false if a race was lost.

        Segments that it does not hold are ranked here. Raises
        :class:`~imagesearch.errors.Conflict` if none is attached.
        """
        return switch(self._keeper, serving=serving)

    def detach(self) -> None:
        """Have no engine any more. What it holds is not used again, and not deleted."""
        detach(self._keeper)

    def scrub(self) -> Scrubbed:
        """Read and check every object; report what is damaged, missing or stray."""
        return scrub(self._keeper)

    def erase(self) -> None:
        """Delete every object of the index, and what the attached engine holds of it.

        Raises :class:`~imagesearch.errors.EngineUnavailable` if that does not answer; nobody can
        use the index any more then, and erasing it again goes on.
        """
        erase(self._keeper)

    def _check_deadline(self, after: After) -> None:
        """Refuse a write so late that a fold may have ruled it out.

        The wall clock counts too: a frozen environment's monotonic clock may stand still.
        """
        monotonic, wall = after.began
        elapsed = max(self._clock.monotonic() - monotonic, (self._clock.now() - wall) / 1e6)
        if elapsed > self.policy.write_deadline:
            raise StorageUnavailable(
                f"the write took {elapsed:.0f} s; after {self.policy.write_deadline:.0f} s it is "
                "not certain to be kept.",
                fix="Try again, with the same idempotency key if there was one.",
            )
