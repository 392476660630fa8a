"""Cloth made up by chance: checks, stripes, dots, prints, geometric and mottled designs.

A cloth is a square uint8 RGB array; one design in other colours is another cloth.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["cloth", "drape", "flat", "recolour"]

Picture = NDArray[np.uint8]
Field = NDArray[np.float32]

SIDE = 512
"""Width and height of a cloth in pixels."""


def cloth(rng: Generator, motifs: list[Picture]) -> Picture:
    """Return a new design; ``motifs`` are RGBA cut-outs that prints may use."""
    makers = (_checks, _checks, _stripes, _dots, _geometric, _mottled, _plain, _houndstooth)
    prints = rng.random() < 0.3
    design = _print(rng, motifs) if prints else makers[rng.integers(len(makers))](rng)
    if rng.random() < 0.7:
        design = design * _weave(rng)[..., None]
    return np.clip(design, 0, 255).astype(np.uint8)


def recolour(rng: Generator, picture: Picture) -> Picture:
    """Return the same design in other colours: another cloth, easily taken for this one."""
    changed = picture[..., rng.permutation(3)].astype(np.float32)
    changed = np.where(rng.random(3) < 0.4, 255 - changed, changed) * rng.uniform(0.6, 1.2, 3)
    return np.clip(changed, 0, 255).astype(np.uint8)


def flat(rng: Generator, picture: Picture, side: int) -> Picture:
    """Return an unturned window of the cloth, as a catalogue would show it."""
    size = int(rng.uniform(0.55, 0.8) * min(picture.shape[:2]))
    y, x = (rng.integers(0, n - size + 1) for n in picture.shape[:2])
    return cv2.resize(
        picture[y : y + size, x : x + size], (side, side), interpolation=cv2.INTER_AREA
    )


def drape(rng: Generator, picture: Picture, side: int) -> Picture:
    """Return another window: rescaled, turned, folded, in other light."""
    h, w = picture.shape[:2]
    scale = side / (0.68 * min(h, w)) * rng.uniform(0.6, 1.5)
    angle = rng.uniform(-25, 25) + rng.choice([0, 0, 90])
    matrix = cv2.getRotationMatrix2D((rng.uniform(0, w), rng.uniform(0, h)), angle, scale)
    matrix[:, 2] += np.array([side / 2, side / 2]) - matrix @ [w / 2, h / 2, 1]
    big = cv2.warpAffine(picture, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    x = big.astype(np.float32)
    if rng.random() < 0.75:
        x = _fold(rng, x)
    x = x * rng.uniform(0.95, 1.05, 3).astype(np.float32) * rng.uniform(0.72, 1.12)
    return np.clip(x, 0, 255).astype(np.uint8)


def _fold(rng: Generator, x: Field) -> Field:
    side = x.shape[0]
    grid_y, grid_x = np.mgrid[0:side, 0:side].astype(np.float32)
    angle, waves = rng.uniform(0, np.pi), rng.uniform(1, 4)
    phase = (grid_x * np.cos(angle) + grid_y * np.sin(angle)) / side * 2 * np.pi * waves
    phase += rng.uniform(0, 6) + 0.6 * np.sin(phase * rng.uniform(0.2, 0.6))
    depth = rng.uniform(0.2, 1.0)
    shift = depth * side / waves * 0.04 * np.sin(phase)
    bent = cv2.remap(
        x,
        (grid_x + shift * np.cos(angle)).astype(np.float32),
        (grid_y + shift * np.sin(angle)).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    shade: Field = bent * (1 - 0.35 * depth * (0.5 + 0.5 * np.cos(phase)))[..., None]
    return shade


def _palette(rng: Generator, count: int) -> Field:
    colours = rng.uniform(0, 255, (count, 3))
    if rng.random() < 0.4:  # muted, as most cloth is
        grey = colours.mean(axis=1, keepdims=True)
        colours = grey + (colours - grey) * rng.uniform(0.1, 0.6)
    return colours.astype(np.float32)


def _bands(rng: Generator, colours: Field) -> Field:
    """One period of coloured bands, repeated over the side: [SIDE, 3]."""
    count = int(rng.integers(2, 8))
    widths = rng.integers(2, int(rng.integers(8, 60)), count)
    line = np.repeat(colours[rng.integers(len(colours), size=count)], widths, axis=0)
    if rng.random() < 0.5:
        line = np.concatenate([line, line[::-1]])
    return np.resize(line, (SIDE, 3)).astype(np.float32)


def _checks(rng: Generator) -> Field:
    colours = _palette(rng, int(rng.integers(2, 6)))
    warp = _bands(rng, colours)
    weft = warp if rng.random() < 0.6 else _bands(rng, colours)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    period = int(rng.integers(2, 6))
    over = ((x + y) // period % 2 if rng.random() < 0.6 else 0.5 * np.ones((SIDE, SIDE)))[..., None]
    design: Field = warp[None] * over + weft[:, None] * (1 - over)
    return design


def _stripes(rng: Generator) -> Field:
    design = np.repeat(_bands(rng, _palette(rng, int(rng.integers(2, 5))))[None], SIDE, axis=0)
    return design if rng.random() < 0.5 else design.transpose(1, 0, 2)


def _lattice(rng: Generator) -> tuple[NDArray[Any], int]:
    step = int(rng.integers(24, 110))
    points = [
        (column * step + (row % 2) * step * shift, row * step)
        for shift in [rng.choice([0.0, 0.5])]
        for row in range(-1, SIDE // step + 2)
        for column in range(-1, SIDE // step + 2)
    ]
    return np.array(points), step


def _dots(rng: Generator) -> Field:
    colours = _palette(rng, 3)
    design = np.ones((SIDE, SIDE, 3), np.float32) * colours[0]
    points, step = _lattice(rng)
    radius = max(2, int(step * rng.uniform(0.1, 0.42)))
    for index, (x, y) in enumerate(points):
        colour = colours[1 + index % int(rng.integers(1, 3))].tolist()
        cv2.circle(design, (int(x), int(y)), radius, colour, -1, cv2.LINE_AA)
    return design


def _geometric(rng: Generator) -> Field:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    a, b = rng.uniform(20, 90), rng.uniform(20, 90)
    kind = rng.integers(5)
    if kind == 0:  # zigzag
        value = (y + np.abs(x % a - a / 2) * rng.uniform(0.5, 2)) % b / b
    elif kind == 1:  # diamonds
        value = (np.abs(x % a - a / 2) / a + np.abs(y % b - b / 2) / b) % 0.5 * 2
    elif kind == 2:  # waves
        value = (y + 0.3 * b * np.sin(x / a * 2 * np.pi)) % b / b
    elif kind == 3:  # scales
        row = y // (b / 2)
        value = np.hypot((x + row % 2 * a / 2) % a - a / 2, y % (b / 2)) / max(a, b) * 2 % 1
    else:  # interlaced rings
        value = (np.sin(x / a * 2 * np.pi) * np.sin(y / b * 2 * np.pi) + 1) / 2
    colours = _palette(rng, int(rng.integers(2, 5)))
    design: Field = colours[np.minimum((value * len(colours)).astype(int), len(colours) - 1)]
    return design


def _noise(rng: Generator, grain: float) -> Field:
    field = cv2.GaussianBlur(
        rng.normal(size=(SIDE, SIDE)).astype(np.float32),
        (0, 0),
        grain * rng.uniform(0.5, 1.5),
        sigmaY=grain * rng.uniform(0.5, 1.5),
        borderType=cv2.BORDER_REFLECT_101,
    )
    scaled: Field = (field - field.mean()) / (field.std() + 1e-6)
    return scaled


def _mottled(rng: Generator) -> Field:
    field = _noise(rng, rng.uniform(2, 25)) + rng.uniform(0, 0.8) * _noise(rng, rng.uniform(1, 6))
    colours = _palette(rng, int(rng.integers(2, 5)))
    if rng.random() < 0.5:  # spots with hard edges
        steps = np.quantile(field, np.linspace(0, 1, len(colours) + 1)[1:-1])
        design: Field = colours[np.digitize(field, steps)]
        return design
    if rng.random() < 0.4:  # veins
        field = np.abs(field) * 2 - 1
    t = np.clip(field * 0.35 + 0.5, 0, 1)[..., None]
    return colours[0] * t + colours[1] * (1 - t)


def _plain(rng: Generator) -> Field:
    field = _noise(rng, rng.uniform(0.6, 3)) * rng.uniform(3, 30)
    design: Field = _palette(rng, 1)[0] + field[..., None]
    return design


def _houndstooth(rng: Generator) -> Field:
    tooth = np.array(
        [
            [1, 1, 1, 1, 0, 0, 0, 1],
            [1, 1, 1, 1, 0, 0, 1, 0],
            [1, 1, 1, 1, 0, 1, 0, 0],
            [1, 1, 1, 1, 1, 0, 0, 0],
            [0, 0, 1, 1, 0, 0, 0, 0],
            [0, 1, 1, 0, 0, 0, 0, 0],
            [1, 1, 0, 0, 0, 0, 0, 0],
            [1, 0, 0, 1, 0, 0, 0, 0],
        ],
        np.uint8,
    )
    size = int(rng.integers(2, 9)) * 8
    tile = cv2.resize(tooth, (size, size), interpolation=cv2.INTER_NEAREST)
    repeat = SIDE // size + 1
    value = np.tile(tile, (repeat, repeat))[:SIDE, :SIDE]
    design: Field = _palette(rng, 2)[value]
    return design


def _print(rng: Generator, motifs: list[Picture]) -> Field:
    design = np.ones((SIDE, SIDE, 3), np.float32) * _palette(rng, 1)[0]
    points, step = _lattice(rng)
    chosen = [motifs[i] for i in rng.integers(len(motifs), size=int(rng.integers(1, 4)))]
    tint = _palette(rng, 1)[0] if rng.random() < 0.5 else None
    size = max(10, int(step * rng.uniform(0.5, 0.95)))
    stamps = [_stamp(rng, motif, size, tint) for motif in chosen]
    for index, (x, y) in enumerate(points):
        _put(design, stamps[index % len(stamps)], int(x), int(y))
    return design


def _stamp(rng: Generator, motif: Picture, size: int, tint: Field | None) -> Field:
    h, w = motif.shape[:2]
    scale = size / max(h, w)
    shape = (max(2, int(w * scale)), max(2, int(h * scale)))
    small = cv2.resize(motif, shape, interpolation=cv2.INTER_AREA).astype(np.float32)
    if tint is not None:
        shade = small[..., :3].mean(axis=2, keepdims=True) / 255
        small[..., :3] = tint * (0.4 + 0.6 * shade)
    quarter: Field = np.rot90(small, int(rng.integers(4))).copy()
    return quarter


def _put(design: Field, stamp: Field, x: int, y: int) -> None:
    h, w = stamp.shape[:2]
    left, top = max(0, x), max(0, y)
    right, bottom = min(SIDE, x + w), min(SIDE, y + h)
    if left >= right or top >= bottom:
        return
    part = stamp[top - y : bottom - y, left - x : right - x]
    alpha = part[..., 3:] / 255
    under = design[top:bottom, left:right]
    design[top:bottom, left:right] = under * (1 - alpha) + part[..., :3] * alpha


def _weave(rng: Generator) -> Field:
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    period = int(rng.integers(2, 9))
    kind = rng.integers(4)
    if kind == 0:  # plain weave
        value = (x // period + y // period) % 2
    elif kind == 1:  # twill
        value = (x + y * int(rng.choice([1, 2]))) // period % 2
    elif kind == 2:  # herringbone
        turn = int(rng.integers(12, 50))
        value = (np.where(x // turn % 2, x, -x) + y) // period % 2
    else:  # slubs
        value = (cv2.blur(rng.random((SIDE, SIDE)), (1, 9)) - 0.5) * 4
        value = value + (cv2.blur(rng.random((SIDE, SIDE)), (9, 1)) - 0.5) * 4
    depth = rng.uniform(0.05, 0.3)
    weave: Field = (1 - depth / 2 + depth * (value - 0.5)).astype(np.float32)
    return weave
