"""One instance's index: the door to everything in this room."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from imagesearch.errors import (
    CorruptObject,
    LostRace,
    ModelMismatch,
    NoSuchObject,
    NotYetVisible,
    StorageUnavailable,
    UnknownInstance,
)
from imagesearch.index.clock import MAX_CLOCK, Clock, SystemClock, tick
from imagesearch.index.fold import fold
from imagesearch.index.keys import Keys
from imagesearch.index.log import (
    MAX_DELETIONS,
    MAX_ENTRIES,
    Deletion,
    Entry,
    LogObject,
    Version,
    latest_of_each,
    operation_number,
)
from imagesearch.index.manifest import Held, Manifest
from imagesearch.index.policy import Policy
from imagesearch.index.shelf import Shelf
from imagesearch.index.snapshot import Snapshot
from imagesearch.index.tail import Tail
from imagesearch.index.view import View
from imagesearch.storage import ObjectInfo, ObjectStore

__all__ = ["Index"]

_RESTARTS = 8
_NAP = 0.05
_T = TypeVar("_T")
_R = TypeVar("_R")


class Index:
    """The index below one prefix of a store. Thread-safe; keeps caches between calls.

    ``model`` is the bundle whose vectors are indexed, ``cache`` a folder for segment files (kept
    in memory if absent).
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
    ) -> None:
        self.policy = policy or Policy()
        self._store = store
        self._keys = Keys(prefix)
        self._model = model
        self._clock = clock or SystemClock()
        self._cache = cache
        self._shelf = Shelf(store, self._keys)
        self._held: Held | None = None
        self._view: View | None = None
        self._log: dict[str, LogObject | CorruptObject] = {}

    def create(self) -> None:
        """Make the index, empty; nothing happens if it exists."""
        manifest = Manifest(index=secrets.token_hex(16), model=self._model, generation=1)
        try:
            self._store.put_if_absent(self._keys.manifest, manifest.encode())
        except LostRace:
            self._read_manifest()

    def snapshot(self, *, min_sequence: int | None = None) -> Snapshot:
        """Return the index as it is now, with every write acknowledged before the call.

        With ``min_sequence`` waits up to ``policy.wait`` seconds for that sequence, then raises
        :class:`NotYetVisible`. Raises :class:`UnknownInstance` if there is no such index and
        :class:`ModelMismatch` if it was built with another model.
        """
        deadline = self._clock.monotonic() + self.policy.wait
        while True:
            snapshot = self._look()
            if min_sequence is None or snapshot.sequence >= min_sequence:
                return snapshot
            if self._clock.monotonic() >= deadline:
                raise NotYetVisible(
                    f"sequence {min_sequence} is not visible; the newest is {snapshot.sequence}.",
                    field="min_sequence",
                )
            self._clock.sleep(_NAP)

    def append(
        self,
        entries: Sequence[Entry] = (),
        deletions: Sequence[Deletion] = (),
        *,
        after: Snapshot,
        operation_id: str | None = None,
    ) -> int:
        """Write at most 500 entries and 10 000 deletions, all or nothing; return the sequence.

        The write is durable, and in every snapshot begun from here on, when this returns. It is
        later than everything in ``after``. Deletions come before the entries; of two entries
        with the same key the last counts. An ``operation_id`` names one write: if the log still
        lists an earlier one of that name, its sequence is returned and nothing is written.
        """
        if len(entries) > MAX_ENTRIES or len(deletions) > MAX_DELETIONS:
            raise ValueError(
                f"{len(entries)} entries and {len(deletions)} deletions in one write; "
                f"at most {MAX_ENTRIES} and {MAX_DELETIONS} are allowed."
            )
        operation = operation_number(operation_id or secrets.token_hex(16))
        if operation in after.operations:
            return after.operations[operation]
        version = Version(tick(self._clock.now(), after.sequence), operation)
        if version.clock > MAX_CLOCK:
            raise StorageUnavailable(f"the clock has run to {version.clock}, past {MAX_CLOCK}.")
        write = LogObject(
            after.view.manifest.index,
            version,
            after.newest,
            self._model,
            tuple(deletions),
            latest_of_each(entries),
        )
        self._check_deadline(after)
        self._store.put_if_absent(self._keys.log(version.name), write.encode())
        self._check_deadline(after)
        self._log[version.name] = write
        return version.clock

    def fold(self) -> bool:
        """Turn the log's tail into a segment; false if there was none or somebody else did."""
        snapshot, held, listed = self._observe()
        if not snapshot.log_length:
            return False
        names = [info.key.removeprefix(self._keys.logs) for info in listed]
        return fold(self._store, self._keys, held, snapshot.view, names)

    def erase(self) -> None:
        """Delete every object of the index, the manifest first."""
        self._store.delete([self._keys.manifest])
        self._held = self._view = None
        while keys := [info.key for info in self._store.list(self._keys.prefix)]:
            self._store.delete(keys)

    def _check_deadline(self, after: Snapshot) -> None:
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

    def _look(self) -> Snapshot:
        return self._observe()[0]

    def _observe(self) -> tuple[Snapshot, Held, list[ObjectInfo]]:
        """List the log, then read the manifest, then fetch what is new.

        In this order a log object that a fold has removed from the log is in the manifest.
        """
        for _ in range(_RESTARTS):
            began = self._clock.monotonic(), self._clock.now()
            known = self._held or self._read_manifest()
            listed = [
                info
                for info in self._store.list(
                    self._keys.logs, after=self._keys.logs_after(known.manifest.low_water)
                )
                if Version.parse(info.key.removeprefix(self._keys.logs))
            ]
            held = self._read_manifest(known)
            try:
                view = self._view_of(held.manifest, listed)
            except NoSuchObject as error:
                missing = error
                continue  # folded and collected since it was listed
            return self._snapshot(view, listed, began), held, listed
        raise CorruptObject(f"a listed object cannot be read: {missing.detail}") from missing

    def _snapshot(
        self, view: View, listed: Sequence[ObjectInfo], began: tuple[float, int]
    ) -> Snapshot:
        names = [info.key.removeprefix(self._keys.logs) for info in listed]
        versions = [version for name in names if (version := Version.parse(name))]
        operations: dict[int, int] = {}
        for version in versions:
            operations.setdefault(version.operation, version.clock)
        newest = versions[-1] if versions else None
        sizes = dict(zip(names, (info.size for info in listed), strict=True))
        return Snapshot(
            view,
            self.policy,
            max(view.manifest.clock, newest.clock if newest else 0),
            newest.name if newest else "",
            operations,
            sum(sizes.get(name, 0) for name in view.tail.names),
            began,
        )

    def _read_manifest(self, known: Held | None = None) -> Held:
        """Return the manifest as it is now; ``known`` if that is still in force."""
        key = self._keys.manifest
        try:
            found = self._store.get_if_changed(key, known.etag) if known else self._store.get(key)
        except NoSuchObject:
            self._held = self._view = None
            raise UnknownInstance(f"there is no index at {self._keys.prefix}.") from None
        if found is None and known:
            return known
        if found is None:
            raise CorruptObject(f"{key} cannot be read.")
        manifest = Manifest.decode(key, found.body)
        if manifest.model != self._model:
            raise ModelMismatch(
                f"the index at {self._keys.prefix} was built with model {manifest.model!r}, "
                f"not {self._model!r}.",
                fix="Deploy the instance's model bundle, or build a new instance.",
            )
        self._held = Held(manifest, found.etag, found.body)
        return self._held

    def _view_of(self, manifest: Manifest, listed: Sequence[ObjectInfo]) -> View:
        names = [info.key.removeprefix(self._keys.logs) for info in listed]
        tail = manifest.tail(names)
        view = self._view
        wanted = frozenset(version.name for version in tail)
        if view and not view.damage and view.manifest is manifest and view.tail.names == wanted:
            return view
        objects = self._fetch(manifest, sorted(wanted))
        whole = [found for found in objects if isinstance(found, LogObject)]
        damaged = [found for found in objects if isinstance(found, CorruptObject)]
        base = view.tail if view and view.tail.names <= wanted else Tail()
        new = [found for found in whole if found.version.name not in base.names]
        self._shelf.keep_only(manifest)
        self._view = View(manifest, base.plus(new), self._shelf, damaged[0] if damaged else None)
        return self._view

    def _fetch(self, manifest: Manifest, names: Sequence[str]) -> list[LogObject | CorruptObject]:
        """Return log objects, from memory or the store; what is damaged in place of it."""
        known = {name: found for name in names if (found := self._log.get(name))}
        new = [name for name in names if not isinstance(known.get(name), LogObject)]

        def read(name: str) -> LogObject | CorruptObject:
            key = self._keys.log(name)
            try:
                return LogObject.decode(key, self._store.get(key).body, index=manifest.index)
            except CorruptObject as error:
                return error

        known |= dict(zip(new, self._each(read, new), strict=True))
        self._log = known
        return [known[name] for name in names]

    def _each(self, work: Callable[[_T], _R], items: Iterable[_T]) -> list[_R]:
        """Do the same for several items, at once if there are many."""
        items = list(items)
        if len(items) < 2 or self.policy.parallel < 2:
            return [work(item) for item in items]
        with ThreadPoolExecutor(min(self.policy.parallel, len(items))) as pool:
            return list(pool.map(work, items))
