"""Marks as a catalogue files them, and as people meet them.

Met, they are in one colour or inverted, thin, small, tilted, on photographs; never mirrored, which
marks are not.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tools.models import compose
from tools.models.restyle import restyle

__all__ = ["filed", "met", "one_colour", "recoloured"]

Picture = NDArray[np.uint8]

_FILED = compose.Placing(
    smallest=0.55,
    largest=0.95,
    turn=0,
    perspective=0,
    patches=0,
    beyond=0,
    second=0,
    mirror=0,
)
_MET = compose.Placing(
    smallest=0.25,
    largest=0.95,
    turn=20,
    perspective=0.12,
    patches=0.1,
    beyond=0.05,
    second=0,
    mirror=0,
)
_UPRIGHT = 0.3
_SOLID = 24  # grey levels of deviation below which a cut-out counts as flat


def filed(rng: Generator, cutout: Picture) -> compose.Scene:
    """Return the mark as a catalogue shows it: in its own colours on a plain ground."""
    return compose.scene(rng, cutout, _even(_ground_for(rng, cutout)), *_size(rng), _FILED)


def met(rng: Generator, cutout: Picture, busy: compose.Ground) -> compose.Scene:
    """Return the mark as a query shows it, drawn by the same hand or nearly so."""
    chance = rng.random()
    if chance < 0.45:
        cutout = one_colour(rng, cutout)
    elif chance < 0.55:
        cutout = _exchanged(rng, cutout)
    elif chance < 0.65:
        cutout = restyle(rng, cutout)
    plain = rng.random() < 0.4
    ground = _even(_ground_for(rng, cutout)) if plain else busy
    placing = _FILED if plain and rng.random() < _UPRIGHT else _MET
    return compose.scene(rng, cutout, ground, *_size(rng), placing)


def one_colour(rng: Generator, cutout: Picture) -> Picture:
    """Return the mark in one colour: what of it differs from its own ground.

    The ground is what is commonest in a filled shape, if that has more than one colour; else the
    whole shape is drawn. A third of the marks get thicker or thinner strokes.
    """
    alpha = cutout[..., 3]
    ink = alpha
    inside = cutout[..., :3][alpha > 128].astype(np.float32)
    if len(inside) and inside.std(axis=0).max() > _SOLID and rng.random() < 0.8:
        ink = _against_ground(cutout, inside)
    if rng.random() < 0.33:
        ink = _stroked(rng, ink)
    if (ink > 128).mean() < 0.01:
        ink = alpha
    colour = rng.choice([0.0, 255.0]) * np.ones(3) if rng.random() < 0.5 else rng.uniform(0, 255, 3)
    return np.dstack([np.broadcast_to(colour, (*ink.shape, 3)), ink]).astype(np.uint8)


def recoloured(rng: Generator, cutout: Picture) -> Picture:
    """Return the whole shape in one colour or its shades, or with its channels exchanged."""
    changed = cutout.astype(np.float32)
    colour = rng.uniform(0, 255, 3)
    grey = changed[..., :3].mean(axis=2, keepdims=True) / 255
    kind = rng.random()
    if kind < 0.5:  # one colour
        changed[..., :3] = colour
    elif kind < 0.75:  # shades of one colour
        changed[..., :3] = colour * (0.3 + 0.7 * grey)
    else:  # channels exchanged
        changed[..., :3] = changed[..., rng.permutation(3)]
    return changed.astype(np.uint8)


def _against_ground(cutout: Picture, inside: NDArray[np.float32]) -> NDArray[np.uint8]:
    coarse = (inside // 32).astype(np.int64) @ [64, 8, 1]
    commonest = inside[coarse == np.bincount(coarse).argmax()].mean(axis=0)
    away = np.linalg.norm(cutout[..., :3] - commonest, axis=2) * (cutout[..., 3] / 255.0)
    fullness = (cutout[..., 3] > 128).mean()
    if fullness < 0.7:  # a free-standing drawing: all its colours are ink
        light = cutout[..., :3].mean(axis=2)
        kept: NDArray[np.uint8] = np.where(light > 235, 0, cutout[..., 3]).astype(np.uint8)
        return kept
    return np.clip(away / max(float(np.quantile(away, 0.98)), 1.0) * 255, 0, 255).astype(np.uint8)


def _stroked(rng: Generator, ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    width = 1 + 2 * int(rng.integers(1, 3))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    changed = cv2.dilate(ink, brush) if rng.random() < 0.5 else cv2.erode(ink, brush)
    thinned = (changed > 128).sum() < 0.4 * (ink > 128).sum()
    return ink if thinned else changed.astype(np.uint8)


def _exchanged(rng: Generator, cutout: Picture) -> Picture:
    """Return the mark with its channels exchanged or its colours inverted."""
    colours = cutout[..., rng.permutation(3)]
    colours = 255 - colours if rng.random() < 0.5 else colours
    return np.dstack([colours, cutout[..., 3]])


def _ground_for(rng: Generator, cutout: Picture) -> NDArray[np.uint8]:
    """Return a colour on which the mark stands out: white mostly, dark under light marks."""
    alpha = cutout[..., 3:].astype(np.float32) / 255
    own = (cutout[..., :3] * alpha).sum(axis=(0, 1)) / (alpha.sum() + 1e-6)
    if own.mean() >= 170:
        return rng.integers(0, 60, 3).astype(np.uint8)
    if rng.random() < 0.6:
        return np.full(3, 255, np.uint8)
    return rng.integers(200, 256, 3).astype(np.uint8)


def _even(colour: NDArray[np.uint8]) -> compose.Ground:
    def ground(_: Generator, width: int, height: int) -> Picture:
        return np.broadcast_to(colour, (height, width, 3)).copy()

    return ground


def _size(rng: Generator) -> tuple[int, int]:
    return int(rng.integers(224, 400)), int(rng.integers(224, 400))
