"""The photographs that only the subject decoder learns from, listed in ``photographs.txt``.

They are demonstration pictures of web templates, shops and libraries: people, shop things, animals,
rooms, food, streets. Some are kept aside, to measure on; those of a few packages that teach nothing
serve to choose between decoders. No part of the bundle is fitted on either.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tools.models.packages import Say
from tools.models.sources import SOURCES, unpack

__all__ = ["Photograph", "Use", "by_source", "listed"]

Use = Literal["learn", "choose", "measure"]
"""What a photograph is for."""

_SIDE = 640
_MARKS: dict[str, Use] = {"- ": "measure", "+ ": "choose"}


@dataclass(frozen=True, slots=True)
class Photograph:
    """One file of a package and what it is for."""

    source: str
    path: str
    use: Use

    def picture(self, cache: Path, say: Say = print) -> NDArray[np.uint8]:
        """Return its RGB array, at most 640 px on the longer side."""
        folder = unpack(SOURCES[self.source], cache, say)
        if not SOURCES[self.source].is_debian:
            folder /= "package"
        with Image.open(folder / self.path) as opened:
            opened.draft("RGB", (2 * _SIDE, 2 * _SIDE))
            small = opened.convert("RGB")
        small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        return np.asarray(small)


def listed(use: Use) -> list[Photograph]:
    """Return the photographs of one use, in the order of the list."""
    lines = (Path(__file__).parent / "photographs.txt").read_text().splitlines()
    found = [_photograph(line) for line in lines if not line.startswith("#")]
    return [photograph for photograph in found if photograph.use == use]


def by_source() -> list[str]:
    """Describe each package: name, version, licence, number of photographs of each use."""
    counts = [Counter(p.source for p in listed(use)) for use in ("learn", "choose", "measure")]
    lines = []
    for name in sorted(set().union(*counts)):
        source = SOURCES[name]
        learn, choose, measure = (count[name] for count in counts)
        uses = f"{learn} to learn from, {choose} to choose by, {measure} to measure on"
        lines.append(f"{source.name} {source.version}, {source.licence}: {uses}")
    return lines


def _photograph(line: str) -> Photograph:
    use = _MARKS.get(line[:2], "learn")
    source, path = (line if use == "learn" else line[2:]).split(" ", 1)
    return Photograph(source, path, use)
