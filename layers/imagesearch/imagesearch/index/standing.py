"""Whether an index is in use: open, frozen while an instance moves to another one, or retired."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from imagesearch.errors import LostRace
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import State

__all__ = ["enter"]


def enter(keeper: Keeper, state: State, *, sequence: int = 0) -> None:
    """Write ``state`` into the manifest, however often upkeep gets in between."""
    while True:
        held = keeper.reader.manifest()
        clock = max(held.manifest.clock, sequence)
        after = msgspec.structs.replace(held.manifest, state=state, clock=clock)
        if after == held.manifest:
            return
        with suppress(LostRace):
            keeper.store.compare_and_swap(keeper.keys.manifest, after.encode(), held.etag)
            return
