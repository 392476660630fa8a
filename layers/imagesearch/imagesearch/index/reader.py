"""Looking at the store: the log is listed, then the manifest is read, then what is new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagesearch.errors import CorruptObject, ModelMismatch, NoSuchObject, UnknownInstance
from imagesearch.index.clock import Clock
from imagesearch.index.keys import Keys
from imagesearch.index.log import LogObject, Version
from imagesearch.index.manifest import Held, Manifest
from imagesearch.index.parallel import each
from imagesearch.index.place import Place, operations_of
from imagesearch.index.policy import Policy
from imagesearch.index.shelf import Shelf
from imagesearch.index.tail import Tail
from imagesearch.index.view import View
from imagesearch.storage import ObjectStore

__all__ = ["Observation", "Reader"]

_LOOKS = 4


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look at the store found.

    ``listed`` are the log objects above the low-water mark by name, with their sizes; ``began``
    is when the look began, by the monotonic (s) and the wall clock (µs).
    """

    held: Held
    view: View
    listed: dict[str, int]
    began: tuple[float, int]

    @property
    def newest(self) -> str:
        """Return the name of the newest listed log object, empty if there is none."""
        return max(self.listed, default="")

    @property
    def sequence(self) -> int:
        """Return the newest clock seen."""
        return max(self.held.manifest.clock, int(self.newest[:20] or 0))

    def ruled_out(self, low_water: int) -> tuple[str, ...]:
        """Return the log objects above a low-water mark that must not count any more.

        What the manifest names may have been written, and folded, after our listing.
        """
        names = {*self.listed, *self.held.manifest.folded}
        return tuple(sorted(name for name in names if int(name[:20]) > low_water))


class Reader:
    """Looks at one index, keeping what it has read; thread-safe."""

    def __init__(
        self,
        store: ObjectStore,
        keys: Keys,
        *,
        model: str,
        clock: Clock,
        policy: Policy,
        cache: Path | None,
        aside: bool = False,
    ) -> None:
        self.shelf = Shelf(store, keys, cache, parallel=policy.parallel)
        self._store = store
        self._keys = keys
        self._model = model
        self._clock = clock
        self._policy = policy
        self._aside = aside
        self._held: Held | None = None
        self._view: View | None = None
        self._log: dict[str, LogObject] = {}

    def observe(self) -> Observation:
        """Look at the index as it is now.

        The log is listed before the manifest is read: a log object that a fold removes from the
        log in between is then in the manifest's segments. If one that was listed is gone, or one
        that a listed one came after is not listed, we look again; what still misses then is lost.
        """
        for _ in range(_LOOKS):
            held, listed, began = self._look()
            view = self._view_of(held.manifest, listed)
            if not view.misses:
                break
        return Observation(held, view, listed, began)

    def place(self) -> Place:
        """Return where a write belongs, without reading what others wrote."""
        held, listed, began = self._look()
        newest = max(listed, default="")
        tail = [version.name for version in held.manifest.tail(listed)]
        self._log = {name: self._log[name] for name in tail if name in self._log}
        return Place(
            held.manifest,
            self._policy,
            max(held.manifest.clock, int(newest[:20] or 0)),
            newest,
            operations_of(listed),
            len(tail),
            sum(listed[name] for name in tail),
            began,
        )

    def _look(self) -> tuple[Held, dict[str, int], tuple[float, int]]:
        """Return the manifest, the sizes of the log objects above its mark, and when it began."""
        began = self._clock.monotonic(), self._clock.now()
        known = self._held
        listed = self._list(known.manifest.low_water if known else 0)
        held = self.manifest(known)
        if held is not known:
            listed = {n: s for n, s in listed.items() if not _below(n, held.manifest)}
        return held, listed, began

    def manifest(self, known: Held | None = None) -> Held:
        """Return the manifest as it is now; ``known`` itself if that is still in force."""
        key = self._keys.manifest
        try:
            found = self._store.get_if_changed(key, known.etag) if known else self._store.get(key)
        except NoSuchObject:
            self.forget()
            raise UnknownInstance(f"there is no index at {self._keys.prefix}.") from None
        if known and not found:
            return known
        if not found:
            raise CorruptObject(f"{key} cannot be read.")
        manifest = Manifest.decode(key, found.body)
        if manifest.state == "retired" and not self._aside:
            self.forget()
            raise UnknownInstance(f"the index at {self._keys.prefix} was left for another one.")
        if manifest.model != self._model:
            raise ModelMismatch(
                f"the index at {self._keys.prefix} was built with model {manifest.model!r}, "
                f"not {self._model!r}.",
                fix="Deploy the instance's model bundle, or build a new instance.",
            )
        held = self._held = Held(manifest, found.etag, found.body)
        return held  # what other threads keep meanwhile may be older

    def forget(self) -> None:
        """Drop everything that was read."""
        self._held = self._view = None
        self._log = {}

    def wrote(self, write: LogObject) -> None:
        """Take note of a log object that this process wrote, so that it need not be read."""
        self._log = {**self._log, write.version.name: write}

    def _list(self, low_water: int) -> dict[str, int]:
        start = self._keys.logs_after(low_water)
        names = (
            (info.key.removeprefix(self._keys.logs), info.size)
            for info in self._store.list(self._keys.logs, after=start)
        )
        return {name: size for name, size in names if Version.parse(name)}

    def _view_of(self, manifest: Manifest, listed: dict[str, int]) -> View:
        tail = frozenset(version.name for version in manifest.tail(listed))
        view = self._view
        if view and view.manifest is manifest and view.tail.names == tail and not view.damage:
            return view
        found = self._fetch(manifest, sorted(tail))
        whole = [f for f in found.values() if isinstance(f, LogObject)]
        missing = [self._keys.log(name) for name, f in found.items() if f is None]
        missing += [self._keys.log(name) for name in _gaps(manifest, listed, whole)]
        damage = [f for f in found.values() if isinstance(f, CorruptObject)]
        damage += [CorruptObject(f"{key} is missing.") for key in missing]
        base = view.tail if view and view.tail.names <= tail and not view.damage else Tail()
        new = [f for f in whole if f.version.name not in base.names]
        self.shelf.keep_only(manifest)
        view = self._view = View(
            manifest,
            base.plus(new),
            self.shelf,
            damage=damage[0] if damage else None,
            misses=bool(missing),
        )
        return view

    def _fetch(
        self, manifest: Manifest, names: Sequence[str]
    ) -> dict[str, LogObject | CorruptObject | None]:
        """Return log objects, read or remembered; what is damaged as an error, ``None`` if gone."""
        known = {name: found for name in names if (found := self._log.get(name))}

        def read(name: str) -> LogObject | CorruptObject | None:
            key = self._keys.log(name)
            try:
                return LogObject.decode(key, self._store.get(key).body, index=manifest.index)
            except NoSuchObject:
                return None
            except CorruptObject as error:
                return error

        new = [name for name in names if name not in known]
        fetched = dict(zip(new, each(read, new, self._policy.parallel), strict=True))
        all_found = {**known, **fetched}
        self._log = {name: f for name, f in all_found.items() if isinstance(f, LogObject)}
        return all_found


def _gaps(manifest: Manifest, listed: dict[str, int], objects: Iterable[LogObject]) -> list[str]:
    """Return what log objects came after that neither the listing nor the manifest knows."""
    named = {f.previous for f in objects if f.previous and f.previous not in listed}
    return sorted(named - frozenset(manifest.folded) - {n for n in named if _below(n, manifest)})


def _below(name: str, manifest: Manifest) -> bool:
    version = Version.parse(name)
    return version is not None and version.clock <= manifest.low_water
