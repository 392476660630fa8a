"""Draw a cut-out again as another hand might: outlined, flat, in line only, in one colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["restyle"]

Picture = NDArray[np.uint8]


def restyle(rng: Generator, cutout: Picture) -> Picture:
    """Return the RGBA cut-out with simplified colours and, mostly, dark outlines."""
    side = max(cutout.shape[:2])
    margin = max(4, side // 24)
    padded = cv2.copyMakeBorder(cutout, *[margin] * 4, cv2.BORDER_CONSTANT, value=0)
    alpha = padded[..., 3]
    inside = np.where(alpha[..., None] > 96, padded[..., :3], 255).astype(np.uint8)
    smooth = cv2.medianBlur(inside, 7 if side > 120 else 3)
    fill = _fill(rng, smooth)
    if rng.random() < 0.85:
        lines, shape = _lines(rng, smooth, alpha, side)
        ink = rng.uniform(0, 60, 3)
        fill = np.where(lines[..., None], ink, fill)
        alpha = np.maximum(alpha, 255 * shape)
    drawn = np.dstack([fill, alpha]).astype(np.uint8)
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not rows.size:
        return cutout
    return np.ascontiguousarray(drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _fill(rng: Generator, smooth: Picture) -> NDArray[np.float64]:
    kind = rng.random()
    if kind < 0.2:  # line drawing
        return np.full(smooth.shape, 255.0)
    step = 256 / rng.integers(3, 6)
    flat = (smooth // step + 0.5) * step
    if kind < 0.35:  # one colour in shades
        grey = flat.mean(axis=2, keepdims=True) / 255
        return rng.uniform(40, 255, 3) * (0.35 + 0.65 * grey)
    grey = flat.mean(axis=2, keepdims=True)
    flat = grey + (flat - grey) * rng.uniform(0.7, 1.5)
    return np.clip(flat * rng.uniform(0.85, 1.15, 3), 0, 255)


def _lines(
    rng: Generator, smooth: Picture, alpha: NDArray[np.uint8], side: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    width = max(2, round(side * rng.uniform(0.008, 0.028)))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    edges = np.max([cv2.Canny(smooth[..., c], 60, 150) for c in range(3)], axis=0)
    inner = cv2.dilate(edges, brush) > 0
    body = (alpha > 96).astype(np.uint8)
    outer = cv2.dilate(body, brush) - cv2.erode(body, brush) > 0
    lines = (inner & (body > 0)) | outer if rng.random() < 0.8 else outer
    return lines, outer
