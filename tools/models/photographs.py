"""The photographs that only the subject decoder learns from, listed in ``photographs.txt``.

They are demonstration pictures of web templates: people, shop things, rooms, food, streets. Some
are kept aside, to measure on; no part of the bundle is fitted on those.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tools.models.packages import Say
from tools.models.sources import SOURCES, unpack

__all__ = ["Photograph", "by_source", "listed"]

_SIDE = 640


@dataclass(frozen=True, slots=True)
class Photograph:
    """One file of a package; ``aside`` if it is only for measuring."""

    source: str
    path: str
    aside: bool

    def picture(self, cache: Path, say: Say = print) -> NDArray[np.uint8]:
        """Return its RGB array, at most 640 px on the longer side."""
        folder = unpack(SOURCES[self.source], cache, say) / "package"
        with Image.open(folder / self.path) as opened:
            opened.draft("RGB", (2 * _SIDE, 2 * _SIDE))
            small = opened.convert("RGB")
        small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        return np.asarray(small)


def listed(*, aside: bool) -> list[Photograph]:
    """Return the photographs to learn from or, ``aside``, those to measure on."""
    lines = (Path(__file__).parent / "photographs.txt").read_text().splitlines()
    found = [_photograph(line) for line in lines if not line.startswith("#")]
    return [photograph for photograph in found if photograph.aside == aside]


def by_source() -> list[str]:
    """Describe each package: name, version, licence, number of photographs of either use."""
    lines = []
    taught, kept = (Counter(p.source for p in listed(aside=aside)) for aside in (False, True))
    for name in sorted(taught | kept):
        source = SOURCES[name]
        counts = f"{taught[name]} to learn from, {kept[name]} to measure on"
        lines.append(f"{source.name} {source.version}, {source.licence}: {counts}")
    return lines


def _photograph(line: str) -> Photograph:
    source, path = line.removeprefix("- ").split(" ", 1)
    return Photograph(source, path, line.startswith("- "))
