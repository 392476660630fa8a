"""Looking up an engine's rows by picture: many in a request, several requests at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imagesearch.catalogue import PictureKey
from imagesearch.index.engine import BATCH, Engine, HeldRow
from imagesearch.index.parallel import each

__all__ = ["Lookups"]


class Lookups:
    """Asks one engine for rows, ``parallel`` requests under way at a time; thread-safe.

    What :meth:`remembered` finds is kept until it is called again: a segment's rows never change,
    so only pictures that are new are asked for, however often the index was written to meanwhile.
    """

    def __init__(self, engine: Engine, parallel: int) -> None:
        self._engine = engine
        self._parallel = parallel
        self._kept: tuple[Sequence[str], Mapping[PictureKey, Sequence[HeldRow]]] = (), {}

    def rows(self, keys: Sequence[PictureKey], segments: Sequence[str]) -> list[HeldRow]:
        """Return the rows of pictures in some segments, however many they are."""
        if not segments:
            return []
        size = min(BATCH, max(1, self._engine.named_at_once // len(segments)))
        parts = [keys[start : start + size] for start in range(0, len(keys), size)]
        found = each(lambda part: self._engine.find(part, segments), parts, self._parallel)
        return [row for rows in found for row in rows]

    def remembered(self, keys: Sequence[PictureKey], segments: Sequence[str]) -> list[HeldRow]:
        """Return the same as :meth:`rows`, and ask for what the last call did not find only."""
        of, kept = self._kept
        known = {key: kept[key] for key in keys if key in kept} if of == segments else {}
        found: dict[PictureKey, list[HeldRow]] = {key: [] for key in keys if key not in known}
        for row in self.rows([*found], segments):
            found[row.picture.key].append(row)
        self._kept = segments, {**known, **found}
        return [row for key in keys for row in {**known, **found}[key]]
