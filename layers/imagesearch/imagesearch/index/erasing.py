"""Erasing an index: its objects, and what an engine elsewhere holds of it."""

from __future__ import annotations

from contextlib import suppress

from imagesearch.errors import CorruptObject, LostRace, NoSuchObject
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Manifest

__all__ = ["erase"]


def erase(keeper: Keeper) -> None:
    """Delete every object of an index, the manifest first.

    What the attached engine holds goes before the history, which tells its name to whoever goes
    on with an interrupted erasure. Raises :class:`~imagesearch.errors.EngineUnavailable` if it
    does not answer; the index is gone by then, and erasing it again goes on.
    """
    last = _last(keeper)
    if last and last.outpost:
        with suppress(LostRace):
            keeper.store.put_if_absent(keeper.keys.history(last.generation), last.encode())
    keeper.store.delete([keeper.keys.manifest])
    keeper.reader.forget()
    if last and last.outpost:
        keeper.outposts.engine(last.outpost.name).erase()
    while keys := [info.key for info in keeper.store.list(keeper.keys.prefix)]:
        keeper.store.delete(keys)


def _last(keeper: Keeper) -> Manifest | None:
    """Return the manifest that is, or was last, in force, as far as that can be read."""
    histories = (info.key for info in keeper.store.list(keeper.keys.histories))
    for key in (keeper.keys.manifest, max(histories, default="")):
        with suppress(NoSuchObject, CorruptObject):
            if key:
                return Manifest.decode(key, keeper.store.get(key).body)
    return None
