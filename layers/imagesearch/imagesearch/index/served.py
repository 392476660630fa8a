"""A state of an index as a search sees it whose older rows are in an engine elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np

from imagesearch.catalogue import PictureKey
from imagesearch.index.engine import Engine, HeldRow
from imagesearch.index.features import Features, bits_of
from imagesearch.index.log import Entry, Version
from imagesearch.index.lookups import Lookups
from imagesearch.index.manifest import SegmentInfo
from imagesearch.index.segment import Segment
from imagesearch.index.view import View

__all__ = ["ServedView"]


class ServedView(View):
    """The same state as another view; of what the engine holds no file is opened.

    It is for searches, and for looking up single pictures. What goes through all pictures needs
    the other view.
    """

    def __init__(self, view: View, engine: Engine, lookups: Lookups) -> None:
        super().__init__(view.manifest, view.tail, view.shelf, damage=view.damage)
        self.plain = view
        self._engine = engine
        self._lookups = lookups

    @cached_property
    def _held(self) -> dict[str, SegmentInfo]:
        segments = self.manifest.segments
        return {info.id: info for info in segments if info.held == self._engine.name}

    def segments(
        self,
        category_id: int | None = None,
        *,
        tables_only: bool = True,
        among: Iterable[SegmentInfo] | None = None,
    ) -> list[Segment]:
        """Return the segments that the engine does not hold, made ready, or some that are given."""
        if among is None:
            among = [info for info in self.manifest.segments if info.id not in self._held]
        return super().segments(category_id, tables_only=tables_only, among=among)

    def find(self, key: PictureKey, *, meaning: bool = True) -> Entry | None:
        """Return one picture and its look, or ``None``.

        Without ``meaning`` that may be left out, and no file of a segment elsewhere is opened.
        """
        return self.find_all([key], meaning=meaning).get(key)

    def find_all(
        self, keys: Sequence[PictureKey], *, meaning: bool = True
    ) -> dict[PictureKey, Entry]:
        """Return those of some pictures that there are; the engine is asked for all together."""
        here = ((key, super(ServedView, self).find(key, meaning=meaning)) for key in keys)
        found = {key: entry for key, entry in here if entry}
        for row in self._rows([key for key in keys if key not in found]):
            if not self.hides(row):
                found[row.picture.key] = self._whole(row, meaning=meaning)
        return found

    def _whole(self, row: HeldRow, *, meaning: bool) -> Entry:
        """Return the picture of a row as changed by now; its meaning is in the segment alone."""
        info = self._held[row.segment]
        entry = _entry(row)
        if meaning and "m8" in info.files:
            entry = self.segment(info).entries(np.array([row.row]))[0]
        return self.changes.applied(entry, row.version)

    def _folded_versions(self, keys: Sequence[PictureKey]) -> Iterator[tuple[PictureKey, Version]]:
        yield from super()._folded_versions(keys)
        for row in self._rows(keys):
            yield row.picture.key, row.version

    def _rows(self, keys: Sequence[PictureKey]) -> list[HeldRow]:
        return self._lookups.rows(keys, [*self._held])


def _entry(row: HeldRow) -> Entry:
    """Return what an engine knows of a picture: all but its meaning."""
    return Entry(row.picture, Features(row.look, bits_of(row.look[np.newaxis])[0]))
