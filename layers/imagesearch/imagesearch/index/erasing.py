"""Erasing an index: its objects, and what an engine elsewhere holds of it."""

from __future__ import annotations

from contextlib import suppress

from imagesearch.errors import Conflict, CorruptObject, LostRace, NoSuchObject
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Manifest

__all__ = ["erase"]


def erase(keeper: Keeper) -> None:
    """Delete every object of an index, the manifest first.

    What the attached engine holds goes before the history, which tells its name to whoever goes
    on with an interrupted erasure; somebody else's collection stays. Raises
    :class:`~imagesearch.errors.EngineUnavailable` if it does not answer; the index is gone by
    then, and erasing it again goes on.
    """
    last = _read(keeper, keeper.keys.manifest)
    if last and last.outpost:
        with suppress(LostRace):
            keeper.store.put_if_absent(keeper.keys.history(last.generation), last.encode())
    keeper.store.delete([keeper.keys.manifest])
    keeper.reader.forget()
    last = last or _latest(keeper)
    if last and last.outpost:
        with suppress(Conflict):  # a copy of the index had it before, and keeps it
            keeper.outposts.engine(last.outpost.name).erase()
    while keys := [info.key for info in keeper.store.list(keeper.keys.prefix)]:
        keeper.store.delete(keys)


def _latest(keeper: Keeper) -> Manifest | None:
    """Return the latest manifest of the history."""
    histories = (info.key for info in keeper.store.list(keeper.keys.histories))
    latest = max(histories, default="")
    return _read(keeper, latest) if latest else None


def _read(keeper: Keeper, key: str) -> Manifest | None:
    with suppress(NoSuchObject, CorruptObject):
        return Manifest.decode(key, keeper.store.get(key).body)
    return None
