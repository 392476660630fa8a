"""Attaching an engine elsewhere to an index, and bringing it up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from imagesearch.errors import Conflict, EngineUnavailable
from imagesearch.index.filling import fill, rows_of_segment
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Manifest, Outpost, SegmentInfo

__all__ = [
    "attach",
    "detach",
    "fill_if_possible",
    "fill_next",
    "held_as_now",
    "lacking",
    "switch",
    "unheld",
]


def attach(keeper: Keeper, name: str) -> None:
    """Have the engine ``name`` be given every new segment; it holds none as yet.

    Nothing happens if it is attached already. Raises
    :class:`~imagesearch.errors.EngineUnavailable` if it does not answer, and
    :class:`~imagesearch.errors.Conflict` if another engine is attached or its collection is
    somebody else's.
    """
    _check_free(keeper.reader.manifest().manifest, name)
    keeper.outposts.engine(name).create()
    while True:
        held = keeper.reader.manifest()
        now = held.manifest
        _check_free(now, name)
        if now.outpost or keeper.commit(held, _with(now, Outpost(name, since=now.generation + 1))):
            return


def _check_free(manifest: Manifest, name: str) -> None:
    if manifest.outpost and manifest.outpost.name != name:
        raise Conflict(
            f"the engine {manifest.outpost.name!r} is attached to the index.",
            fix="Detach it first: imagesearch handover --back --drop.",
        )


def detach(keeper: Keeper) -> None:
    """Have no engine any more. What it holds stays there, and is not used again."""
    while True:
        held = keeper.reader.manifest()
        if held.manifest.outpost is None or keeper.commit(held, _with(held.manifest, None)):
            return


def switch(keeper: Keeper, *, serving: bool) -> bool:
    """Have searches ask the engine, or no longer; false if the index was just changed."""
    held = keeper.reader.manifest()
    outpost = held.manifest.outpost
    if outpost is None and serving:
        raise Conflict("no engine is attached to the index.", fix="Attach one and fill it first.")
    if outpost is None or outpost.serving == serving:
        return True
    after = msgspec.structs.replace(outpost, serving=serving)
    return keeper.commit(held, msgspec.structs.replace(held.manifest, outpost=after))


def lacking(manifest: Manifest) -> list[SegmentInfo]:
    """Return the segments that the engine elsewhere does not hold, the smallest first."""
    if manifest.outpost is None:
        return []
    name = manifest.outpost.name
    return sorted(
        (info for info in manifest.segments if info.held != name), key=lambda info: info.rows
    )


def fill_next(
    keeper: Keeper,
    on_progress: Callable[[int, int], None] = lambda _held, _rows: None,
    waits: Sequence[Callable[[], None]] = (),
) -> bool:
    """Give the engine elsewhere the smallest segment that it lacks; false if it lacks none.

    ``on_progress`` is told how many rows it holds, of how many; after each of ``waits`` a batch
    that was refused is given once more. Any number may do so at once, and
    whoever is interrupted begins that segment anew. Raises
    :class:`~imagesearch.errors.EngineUnavailable`.
    """
    before = keeper.reader.manifest().manifest
    wanting = lacking(before)
    rows = sum(info.rows for info in before.segments)
    held = rows - sum(info.rows for info in wanting)
    on_progress(held, rows)
    if not wanting or before.outpost is None:
        return False

    def told(more: int) -> None:
        nonlocal held
        held += more
        on_progress(held, rows)

    engine = keeper.outposts.engine(before.outpost.name)
    segment = keeper.reader.shelf.segment(before.index, wanting[0])
    fill(engine, rows_of_segment(segment), keeper.policy.parallel, told, waits)
    _mark(keeper, before, wanting[0].id)
    return True


def fill_if_possible(keeper: Keeper) -> int:
    """Give the engine one segment that it lacks; return how many it was given, 0 or 1."""
    if not lacking(keeper.reader.manifest().manifest):
        return 0
    try:
        return int(fill_next(keeper))
    except EngineUnavailable:
        return 0


def _mark(keeper: Keeper, before: Manifest, segment: str) -> None:
    """Note that the engine holds a segment, unless the segment or the engine is gone by now."""
    while True:
        held = keeper.reader.manifest()
        now = held.manifest
        if now.attached != before.attached or now.outpost is None:
            return
        name = now.outpost.name
        segments = tuple(
            msgspec.structs.replace(info, held=name) if info.id == segment else info
            for info in now.segments
        )
        after = msgspec.structs.replace(now, segments=segments)
        if after == now or keeper.commit(held, after):
            return


def unheld(segments: Iterable[SegmentInfo]) -> tuple[SegmentInfo, ...]:
    """Return segments as those that no engine holds."""
    return tuple(msgspec.structs.replace(info, held="") for info in segments)


def held_as_now(wanted: Manifest, now: Manifest) -> tuple[SegmentInfo, ...]:
    """Return the segments of an earlier manifest, held as far as the engine of ``now`` has them.

    What it was given since it was attached it has, as long as the segment's files are there.
    """
    known = {info.id: info.held for info in now.segments}
    then = wanted.segments if wanted.attached == now.attached else unheld(wanted.segments)
    return tuple(msgspec.structs.replace(info, held=known.get(info.id, info.held)) for info in then)


def _with(manifest: Manifest, outpost: Outpost | None) -> Manifest:
    return msgspec.structs.replace(manifest, outpost=outpost, segments=unheld(manifest.segments))
