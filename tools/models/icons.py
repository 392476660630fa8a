"""Icons of permissive sets that show products, by name, and how they are coloured by chance.

Most icons are lines or shapes in one colour. Drawn as they are, and with their areas filled by
chance, they look like what many hands draw.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tools.models.collect import render_icons
from tools.models.packages import Say
from tools.models.sources import SOURCES, unpack

__all__ = ["ICON_SETS", "coloured", "icon_category", "icons"]

Picture = NDArray[np.uint8]

ICON_SETS: dict[str, str] = {
    "flat-color-icons": "",
    "flat-ui": "",
    "fluent-color": "(?=.*-(32|48)$)",
    "game-icons": "",
    "healthicons": "(?!.*(24px|negative|outline))",
    "hugeicons": "",
    "icon-park": "",
    "lucide-lab": "",
    "marketeq": "",
    "mdi": "",
    "ph": "(?!.*-(bold|thin|light)$)",
    "solar": "(?=.*-(bold|linear|bold-duotone)$)",
    "streamline-color": "",
    "streamline-cyber-color": "",
    "streamline-flex-color": "",
    "streamline-freehand-color": "",
    "streamline-kameleon-color": "",
    "streamline-plump-color": "",
    "streamline-stickies-color": "",
    "streamline-ultimate-color": "",
    "tabler": "",
}
"""Sets of icons (npm ``@iconify-json/<name>``) and what the names of the styles used look like."""

_FILE = Path(__file__).with_name("icons.txt")
_STYLE = re.compile(
    r"(-(flat|bold|fill|filled|outline|outlined|line|linear|duotone|duo|broken|thin|light|solid"
    r"|regular|rounded|variant|alt|\d+|icon|stroke|minimalistic|freebies))+$"
)
_SHELF = re.compile(
    r"^(clothes|food|products?|device|furniture|shopping|sport|fruit|vegetable|kitchen|household"
    r"|beauty|make-up|fashion)-"
)
_INK = 200
_TONE = 30
_SMALLEST = 12


def icon_category(name: str) -> int | None:
    """Return the category an icon's name tells (Other included), ``None`` if it tells none."""
    plain = _STYLE.sub("", name)
    for asked in dict.fromkeys((plain, _SHELF.sub("", plain))):
        for category, words in _words():
            if words.fullmatch(asked):
                return category
    return None


def icons(cache: Path, say: Say = print) -> Iterator[tuple[str, str, str, int]]:
    """Yield source, name, file and category of each icon whose name tells a category."""
    for short, style in ICON_SETS.items():
        source = f"@iconify-json/{short}"
        folder = unpack(SOURCES[source], cache, say) / "package"
        names = sorted(json.loads((folder / "icons.json").read_text())["icons"])
        told = {
            name: category
            for name in names
            if re.match(style, name) and (category := icon_category(name)) is not None
        }
        say(f"{short}: {len(told)} of {len(names)} icons")
        for name, file in render_icons(cache, source, told, say):
            yield source, name, file, told[name]


def coloured(rng: Generator, cutout: Picture) -> Picture:
    """Return an icon of one colour in several: its lines, tones and enclosed areas.

    One icon in eight stays as it is; one that has colours of its own gets others.
    """
    alpha = cutout[..., 3]
    shown = cutout[..., :3][alpha > _INK]
    if not shown.size or rng.random() < 0.12:
        return cutout
    if np.ptp(shown.reshape(-1, 3), axis=0).max() > 40:
        return _turned(rng, cutout)
    ink, tone = alpha >= _INK, (alpha >= _TONE) & (alpha < _INK)
    palette = rng.uniform(0, 255, (3, 3)) ** 0.8 * 255**0.2
    palette[2] = palette[0] + rng.normal(0, 30, 3)
    solid = bool(ink.mean() > 0.3)
    picture = np.full((*alpha.shape, 3), 255.0)
    area = np.zeros(alpha.shape, bool)
    for number, region in enumerate(_enclosed(alpha)):
        pale = rng.random() < 0.25
        picture[region] = rng.uniform(215, 255, 3) if pale else palette[number % 3]
        area |= region
    picture[tone] = palette[1]
    picture[ink] = palette[0] if solid and rng.random() < 0.8 else rng.uniform(0, 80, 3)
    picture = cv2.GaussianBlur(picture, (3, 3), 0)
    covered = np.where(area | tone | ink, 255, alpha)
    if solid and rng.random() < 0.5:
        return _outlined(rng, picture, covered)
    return _stacked(picture * _light(rng, alpha.shape), covered)


@cache
def _words() -> tuple[tuple[int, re.Pattern[str]], ...]:
    lines = _FILE.read_text("utf-8").splitlines()
    told: dict[int, list[str]] = {}
    for line in lines:
        if line[:1].isdigit():
            category, words = line.split(" | ")
            told.setdefault(int(category), []).extend(words.split())
    return tuple((id_, re.compile(f"(?:{'|'.join(words)})")) for id_, words in told.items())


def _enclosed(alpha: NDArray[np.uint8]) -> list[NDArray[np.bool_]]:
    """Return the areas that lines enclose, largest first."""
    around = cv2.copyMakeBorder(alpha, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (around < _TONE).astype(np.uint8), connectivity=4
    )
    sizes = stats[:, cv2.CC_STAT_AREA]
    inside = labels[1:-1, 1:-1]
    chosen = [i for i in range(1, count) if i != labels[0, 0] and sizes[i] >= _SMALLEST]
    return [inside == i for i in sorted(chosen, key=lambda i: -sizes[i])]


def _turned(rng: Generator, cutout: Picture) -> Picture:
    """Return it with all hues turned alike, often less or more strong."""
    hsv = cv2.cvtColor(cutout[..., :3], cv2.COLOR_RGB2HSV).astype(np.float64)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(0, 180)) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.3, 1.3), 0, 255)
    rgb = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.dstack([rgb, cutout[..., 3]])


def _outlined(rng: Generator, picture: NDArray[np.float64], alpha: NDArray[np.uint8]) -> Picture:
    width = max(3, round(max(alpha.shape) * rng.uniform(0.01, 0.03)))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    padded = cv2.copyMakeBorder(alpha, *[width] * 4, cv2.BORDER_CONSTANT, value=0)
    wide = cv2.dilate(padded, brush)
    drawn = np.full((*padded.shape, 3), 0.0) + rng.uniform(0, 60, 3)
    inside = padded[width:-width, width:-width] > 127
    drawn[width:-width, width:-width][inside] = picture[inside]
    return _stacked(drawn, wide)


def _light(rng: Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] / max(shape)
    angle = rng.uniform(0, 2 * np.pi)
    depth = rng.uniform(0, 0.4) if rng.random() < 0.5 else 0.0
    light: NDArray[np.float64] = 1 - depth * (0.5 + 0.5 * (x * np.cos(angle) + y * np.sin(angle)))
    return light[..., None]


def _stacked(picture: NDArray[np.float64], alpha: NDArray[np.uint8]) -> Picture:
    return np.dstack([np.clip(picture, 0, 255).astype(np.uint8), alpha])
