"""Going back: an earlier generation is made the newest one."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from imagesearch.errors import CorruptObject, LostRace, NoSuchObject, UnknownGeneration
from imagesearch.index.attachment import held_as_now
from imagesearch.index.collect import referred
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Manifest
from imagesearch.index.parallel import each
from imagesearch.storage import ObjectInfo

__all__ = ["Generation", "earlier", "generations", "rollback"]


@dataclass(frozen=True, slots=True)
class Generation:
    """An earlier state: it was in force until ``until`` (µs, store's time)."""

    number: int
    until: int
    pictures: int
    segments: int


def generations(keeper: Keeper) -> list[Generation]:
    """Return the generations that can be rolled back to, oldest first."""

    def read(info: ObjectInfo) -> Generation | None:
        try:
            manifest = Manifest.decode(info.key, keeper.store.get(info.key).body)
        except NoSuchObject:
            return None
        pictures = sum(i.rows - manifest.dead.get(i.id, 0) for i in manifest.segments)
        return Generation(manifest.generation, info.modified, pictures, len(manifest.segments))

    found = each(read, keeper.store.list(keeper.keys.histories), keeper.policy.parallel)
    return [generation for generation in found if generation]


def rollback(keeper: Keeper, to: int) -> int:
    """Make the pictures be those of generation ``to`` again; return the new generation.

    Every write that generation ``to`` had not folded is undone: those of the log as well. Writes
    that begin afterwards count. Raises :class:`UnknownGeneration` if the history has no such
    generation, :class:`CorruptObject` if something it needs is gone, and :class:`LostRace` if
    the index changed meanwhile.
    """
    wanted = earlier(keeper, to)
    _check_whole(keeper, wanted)
    seen = keeper.reader.observe()
    now = seen.held.manifest
    after = msgspec.structs.replace(
        now,
        clock=seen.sequence,
        folded=seen.ruled_out(now.low_water),
        segments=held_as_now(wanted, now),
        dead=wanted.dead,
        tombs=wanted.tombs,
    )
    if not keeper.commit(seen.held, after):
        raise LostRace("the index was folded while it was rolled back.")
    return now.generation + 1


def earlier(keeper: Keeper, to: int) -> Manifest:
    """Return the manifest of a generation of the history; :class:`UnknownGeneration` if none."""
    key = keeper.keys.history(to)
    try:
        return Manifest.decode(key, keeper.store.get(key).body)
    except NoSuchObject:
        raise UnknownGeneration(f"generation {to} is not in the history.") from None


def _check_whole(keeper: Keeper, manifest: Manifest) -> None:
    """Raise :class:`CorruptObject` if an object that the manifest refers to is gone."""

    def find(key: str) -> None:
        try:
            keeper.store.head(key)
        except NoSuchObject:
            raise CorruptObject(
                f"{key} is missing, so generation {manifest.generation} cannot be restored.",
                fix="Restore that object from the bucket's versions, or choose another.",
            ) from None

    each(find, referred(keeper, manifest), keeper.policy.parallel)
