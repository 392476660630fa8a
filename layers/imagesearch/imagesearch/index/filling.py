"""Giving an engine elsewhere the rows of segments: whole segments, in batches, again if need be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from imagesearch.errors import EngineUnavailable
from imagesearch.index.engine import BATCH, Engine, HeldRow
from imagesearch.index.log import Version
from imagesearch.index.parallel import each
from imagesearch.index.segment import Draft, Segment

__all__ = ["fill", "rows_of_draft", "rows_of_segment"]

_AT_ONCE = 4
"""Batches that may be under way at once."""


def fill(
    engine: Engine,
    rows: Iterable[HeldRow],
    parallel: int,
    on_rows: Callable[[int], None] = lambda _count: None,
    waits: Sequence[Callable[[], None]] = (),
) -> None:
    """Have an engine hold rows; ``on_rows`` is told how many more it holds, now and then.

    A batch that it refuses is given to it once more after each of ``waits``. Raises
    :class:`~imagesearch.errors.EngineUnavailable` after that; then it may hold some of the rows.
    """

    def given(batch: Sequence[HeldRow]) -> None:
        for wait in waits:
            try:
                engine.fill(batch)
            except EngineUnavailable:
                wait()
            else:
                return
        engine.fill(batch)

    batches = _batches(rows)
    while some := [*islice(batches, _AT_ONCE)]:
        each(given, some, min(parallel, _AT_ONCE))
        on_rows(sum(len(batch) for batch in some))


def rows_of_draft(segment: str, draft: Draft) -> Iterator[HeldRow]:
    """Yield the rows of a segment that is just being written."""
    versions = (Version(*version) for version in draft.versions.tolist())
    parts = zip(versions, draft.pictures, draft.rows, strict=True)
    for row, (version, picture, look) in enumerate(parts):
        yield HeldRow(segment, row, version, picture, look)


def rows_of_segment(segment: Segment) -> Iterator[HeldRow]:
    """Yield the rows of a segment, the dead ones included."""
    for start in range(0, len(segment), BATCH):
        end = min(start + BATCH, len(segment))
        looks = segment.rows(slice(start, end))
        for row, look in zip(range(start, end), looks, strict=True):
            yield HeldRow(segment.id, row, segment.version(row), segment.picture(row), look)


def _batches(rows: Iterable[HeldRow]) -> Iterator[list[HeldRow]]:
    rows = iter(rows)
    while batch := [*islice(rows, BATCH)]:
        yield batch
