"""Draw the products of ``drawings.txt`` as many hands might: bent and coloured by chance.

Clothes, bags, shoes and cosmetics are rare among the free pictures; these drawings are our own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["Drawing", "draw", "drawings"]

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]

_FILE = Path(__file__).with_name("drawings.txt")
_SIDE = 640
_SHOWN = 320
_FIXED = {
    "d": (45, 45, 55),
    "w": (245, 243, 240),
    "m": (175, 180, 188),
    "g": (190, 222, 240),
    "k": (176, 118, 66),
    "f": (240, 196, 160),
    "l": (86, 150, 70),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One stroke or area: its colour's letter, its form and its points in a square of 100."""

    colour: str
    points: tuple[tuple[float, float], ...]
    symmetric: bool = False
    doubled: bool = False
    smooth: bool = False
    ellipse: bool = False
    line: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """A template: the product category it shows, its name, its parts from back to front."""

    category: int
    name: str
    parts: tuple[Part, ...]


@cache
def drawings() -> dict[str, Drawing]:
    """Return the templates by concept, ``drawn:<number>-<name>``."""
    lines = [line for line in _FILE.read_text("utf-8").splitlines() if line[:1].isdigit()]
    return {
        f"drawn:{number:03d}-{drawing.name}": drawing
        for number, drawing in enumerate(map(_drawing, lines))
    }


def draw(rng: Generator, drawing: Drawing) -> Picture:
    """Return an RGBA cut-out of the drawing, bent, stretched, coloured and outlined by chance."""
    bend, colours = _Bend(rng), _colours(rng)
    ink = rng.uniform(0, 70, 3) if rng.random() < 0.8 else None
    width = int(rng.integers(3, 16)) if rng.random() < 0.65 else 0
    canvas = np.zeros((_SIDE, _SIDE, 4), np.float32)
    for part in drawing.parts:
        for points in _outlines(part):
            _lay(rng, canvas, part, bend(points), colours, ink, width)
    return _cut(canvas)


def _drawing(line: str) -> Drawing:
    head, *parts = line.split(" | ")
    category, name = head.split(" ")
    return Drawing(int(category), name, tuple(map(_part, parts)))


def _part(text: str) -> Part:
    forms = "".join(word for word in text.split() if "," not in word)
    points = tuple(tuple(map(float, word.split(","))) for word in text.split() if "," in word)
    return Part(
        forms[0],
        points,  # type: ignore[arg-type]
        symmetric="=" in forms,
        doubled="|" in forms,
        smooth="~" in forms,
        ellipse="o" in forms,
        line="-" in forms,
    )


def _outlines(part: Part) -> Iterator[Points]:
    points = np.array(part.points)
    if part.ellipse:
        turn = np.linspace(0, 2 * np.pi, 40)
        points = points[0] + points[1] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    if part.symmetric:
        points = np.concatenate([points, (points * [-1, 1] + [100, 0])[::-1]])
    if part.smooth:
        points = _rounded(points, closed=not part.line)
    yield points
    if part.doubled:
        yield points * [-1, 1] + [100, 0]


def _rounded(points: Points, *, closed: bool) -> Points:
    """Cut the corners three times (Chaikin)."""
    for _ in range(3):
        after = np.roll(points, -1, axis=0)
        pairs = np.stack([0.75 * points + 0.25 * after, 0.25 * points + 0.75 * after], axis=1)
        cut = pairs.reshape(-1, 2)
        points = cut if closed else np.concatenate([points[:1], cut[1:-2], points[-1:]])
    return points


class _Bend:
    """A smooth displacement of the square and a stretch of its sides, drawn once a picture."""

    def __init__(self, rng: Generator) -> None:
        self._grid = rng.normal(0, rng.uniform(0.5, 4.0), (2, 4, 4)).astype(np.float32)
        self._stretch = np.exp(rng.normal(0, 0.14, 2))

    def __call__(self, points: Points) -> Points:
        """Return the points in pixels."""
        at = (points.clip(0, 100) / 100 * 3).astype(np.float32)
        moved = [
            cv2.remap(g, at[:, 0], at[:, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for g in self._grid
        ]
        bent = points + np.stack([m.ravel() for m in moved], axis=1)
        placed: Points = (bent - 50) * self._stretch / self._stretch.max() * 0.86 + 50
        return placed * (_SIDE / 100)


def _colours(rng: Generator) -> dict[str, NDArray[np.float64]]:
    """Return a colour for every letter: three of chance, the others near their own."""
    hue = rng.uniform(0, 360, 3)
    if rng.random() < 0.5:
        hue[1] = hue[0] + rng.normal(0, 12)
    colours = {
        letter: _of_hue(hue[i], rng.uniform(0.0, 0.95), rng.uniform(0.1, 1.0) ** 0.5)
        for i, letter in enumerate("abc")
    }
    for letter, colour in _FIXED.items():
        colours[letter] = np.clip(np.array(colour) + rng.normal(0, 18, 3), 0, 255)
    return colours


def _of_hue(hue: float, saturation: float, value: float) -> NDArray[np.float64]:
    pixel = np.array([[[hue % 360, saturation, value]]], np.float32)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float64) * 255


def _lay(
    rng: Generator,
    canvas: NDArray[np.float32],
    part: Part,
    points: Points,
    colours: dict[str, NDArray[np.float64]],
    ink: NDArray[np.float64] | None,
    width: int,
) -> None:
    corners = np.round(points * 16).astype(np.int32)
    colour = (*colours[part.colour].tolist(), 255.0)
    if part.line:
        thick = max(4, width, int(_SIDE * 0.014))
        cv2.polylines(canvas, [corners], False, colour, thick, cv2.LINE_8, shift=4)
        return
    area = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(area, [corners], 255, shift=4)
    inside = area > 0
    canvas[inside] = colour
    if part.colour in "abck":
        canvas[inside, :3] *= _shading(rng)[inside, None]
    if width and ink is not None:
        edge = (*ink.tolist(), 255.0)
        cv2.polylines(canvas, [corners], True, edge, width, cv2.LINE_8, shift=4)


def _shading(rng: Generator) -> NDArray[np.float32]:
    """Return the light on an area: even, falling off to one side, striped or checked."""
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) / _SIDE
    kind = rng.random()
    if kind < 0.45:
        return np.ones((_SIDE, _SIDE), np.float32)
    angle = rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    if kind < 0.75:
        return (1 - rng.uniform(0.1, 0.5) * along).astype(np.float32)
    count, depth = rng.uniform(5, 24), rng.uniform(0.15, 0.5)
    stripes = np.sin(along * count * 2 * np.pi) > rng.uniform(-0.5, 0.5)
    if kind > 0.9:
        across = -x * np.sin(angle) + y * np.cos(angle)
        stripes ^= np.sin(across * count * 2 * np.pi) > 0
    return (1 - depth * stripes).astype(np.float32)


def _cut(canvas: NDArray[np.float32]) -> Picture:
    """Return the drawing cut to what is opaque, halved in size."""
    alpha = canvas[..., 3] > 0
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    canvas[~alpha, :3] = 255
    part = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = _SHOWN / max(part.shape[:2])
    size = (max(24, round(part.shape[1] * scale)), max(24, round(part.shape[0] * scale)))
    return np.clip(cv2.resize(part, size, interpolation=cv2.INTER_AREA), 0, 255).astype(np.uint8)
