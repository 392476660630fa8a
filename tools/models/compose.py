"""Put cut-outs on grounds, turned, tilted, shaded, blurred and recompressed as photographs are.

Every function draws its chances from the ``numpy`` generator it is given, so a seed fixes the
picture. Pictures are uint8 RGB arrays, cut-outs uint8 RGBA, masks float32 0…1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

__all__ = ["Placing", "Scene", "colour", "crop_ground", "plain_ground", "scene", "spoil"]

cv2.setNumThreads(1)

Picture = NDArray[np.uint8]
Ground = Callable[[Generator, int, int], Picture]


@dataclass(frozen=True, slots=True)
class Placing:
    """How a cut-out may be laid down; sizes are shares of the frame's shorter side."""

    smallest: float = 0.22
    largest: float = 0.95
    turn: float = 25.0
    perspective: float = 0.10
    beyond: float = 0.25
    second: float = 0.06
    patches: float = 0.30
    mirror: float = 0.30


@dataclass(frozen=True, slots=True)
class Scene:
    """A composed picture, the mask of its subjects and the main one's box ``x1, y1, x2, y2``."""

    picture: Picture
    mask: NDArray[np.float32]
    box: tuple[int, int, int, int]


def scene(
    rng: Generator,
    cutout: Picture,
    ground: Ground,
    width: int,
    height: int,
    placing: Placing,
    other: Picture | None = None,
) -> Scene:
    """Compose one picture of the cut-out (and sometimes ``other``) on a ground."""
    canvas = ground(rng, width, height).astype(np.float32)
    if rng.random() < placing.patches:
        for _ in range(rng.integers(1, 3)):
            _patch(rng, canvas, ground)
    mask = np.zeros((height, width), np.float32)
    if other is not None and rng.random() < placing.second:
        mask = np.maximum(mask, _lay(rng, canvas, other, placing))
    main = _lay(rng, canvas, cutout, placing)
    mask = np.maximum(mask, main)
    return Scene(spoil(rng, canvas), mask, _box(main))


def plain_ground(rng: Generator, width: int, height: int) -> Picture:
    """Return white, a pale tint or a gradient between two colours."""
    kind = rng.random()
    if kind < 0.4:
        return np.full((height, width, 3), 255, np.uint8)
    first = rng.uniform(150, 255, 3) if kind < 0.8 else rng.uniform(0, 255, 3)
    second = np.clip(first + rng.normal(0, 25, 3), 0, 255)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:height, 0:width]
    t = x / width * np.cos(angle) + y / height * np.sin(angle)
    t = (t - t.min()) / (np.ptp(t) + 1e-6)
    return (first + (second - first) * t[..., None]).astype(np.uint8)


def crop_ground(rng: Generator, picture: Picture, width: int, height: int) -> Picture:
    """Return a random part of a photograph, mirrored, recoloured and sometimes blurred."""
    h, w = picture.shape[:2]
    share = rng.uniform(0.35, 1.0)
    aspect = width / height
    cut_w = min(w, h * aspect) * share
    cut_h = cut_w / aspect
    x, y = rng.uniform(0, w - cut_w), rng.uniform(0, h - cut_h)
    cut = picture[int(y) : int(y + cut_h) + 1, int(x) : int(x + cut_w) + 1]
    cut = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    cut = colour(rng, cut.astype(np.float32), 0.25)
    if rng.random() < 0.45:
        cut = cv2.GaussianBlur(cut, (0, 0), rng.uniform(0.8, 5.0))
    return np.clip(cut, 0, 255).astype(np.uint8)


def colour(rng: Generator, picture: NDArray[Any], strength: float) -> NDArray[np.float32]:
    """Change brightness, contrast, saturation and white balance by up to ``strength``."""
    x = picture.astype(np.float32)
    grey = x.mean(axis=2, keepdims=True)
    x = grey + (x - grey) * rng.uniform(1 - 1.5 * strength, 1 + strength)
    x = x * rng.uniform(1 - 0.4 * strength, 1 + 0.4 * strength, 3).astype(np.float32)
    middle = x.mean()
    x = middle + (x - middle) * rng.uniform(1 - strength, 1 + strength)
    return np.clip(x * rng.uniform(1 - strength, 1 + 0.7 * strength), 0, 255).astype(np.float32)


def spoil(rng: Generator, picture: NDArray[Any]) -> Picture:
    """Recolour, blur, add noise and compress the finished picture."""
    x = colour(rng, picture, 0.15)
    if rng.random() < 0.3:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.3:
        x = x + rng.normal(0, rng.uniform(2, 9), x.shape)
    done = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.8:
        quality = [int(cv2.IMWRITE_JPEG_QUALITY), int(rng.integers(30, 86))]
        _, data = cv2.imencode(".jpg", done[..., ::-1], quality)
        done = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    return np.ascontiguousarray(done)


def _lay(
    rng: Generator, canvas: NDArray[np.float32], cutout: Picture, placing: Placing
) -> NDArray[np.float32]:
    """Draw the cut-out on the canvas in place; return its mask."""
    height, width = canvas.shape[:2]
    corners = _corners(rng, cutout, width, height, placing)
    h, w = cutout.shape[:2]
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    alpha = cutout[..., 3:].astype(np.float32) / 255
    premultiplied = np.concatenate([cutout[..., :3] * alpha, alpha], axis=2)
    shrink = np.sqrt(abs(cv2.contourArea(corners.astype(np.float32))) / (w * h))
    if shrink < 0.5:
        premultiplied = cv2.GaussianBlur(premultiplied, (0, 0), 0.35 / shrink)
    laid = cv2.warpPerspective(premultiplied, matrix, (width, height), flags=cv2.INTER_LINEAR)
    soft = rng.uniform(0, 1.2)
    if soft > 0.3:
        laid = cv2.GaussianBlur(laid, (0, 0), soft)
    mask = laid[..., 3]
    if rng.random() < 0.6:
        _shade(rng, canvas, mask)
    subject = laid[..., :3] / np.maximum(mask[..., None], 1e-3)
    if rng.random() < 0.5:
        subject = colour(rng, np.clip(subject, 0, 255), 0.2)
    canvas *= 1 - mask[..., None]
    canvas += subject * mask[..., None]
    return mask


def _corners(
    rng: Generator, cutout: Picture, width: int, height: int, placing: Placing
) -> NDArray[np.float64]:
    h, w = cutout.shape[:2]
    low, high = np.log(placing.smallest), np.log(placing.largest)
    size = np.exp(rng.uniform(low, high))
    stretch = np.sqrt(rng.uniform(0.9, 1.1))
    scale = size * min(width / (w * stretch), height / (h / stretch))
    half = np.array([w * stretch * scale, h / stretch * scale]) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    if rng.random() < 0.5:
        corners += rng.uniform(-1, 1, (4, 2)) * placing.perspective * half * 2
    if rng.random() < placing.mirror:
        corners = corners[[1, 0, 3, 2]]
    angle = np.radians(rng.uniform(-placing.turn, placing.turn))
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = corners @ rotation
    low_xy, high_xy = corners.min(axis=0), corners.max(axis=0)
    over = 0.2 if rng.random() < placing.beyond else 0.0
    slack = over * (high_xy - low_xy)
    first, last = -low_xy - slack, np.array([width, height]) - high_xy + slack
    centre = np.where(
        first < last, rng.uniform(np.minimum(first, last), np.maximum(first, last)), 0
    )
    centre = np.where(first < last, centre, np.array([width, height]) / 2)
    moved: NDArray[np.float64] = corners + centre
    return moved


def _shade(rng: Generator, canvas: NDArray[np.float32], mask: NDArray[np.float32]) -> None:
    height, width = mask.shape
    reach = max(2.0, rng.uniform(0.01, 0.05) * width)
    shift = np.array([[1, 0, rng.normal(0, reach)], [0, 1, abs(rng.normal(0, reach))]], np.float32)
    shadow = cv2.warpAffine(mask, shift, (width, height))
    shadow = cv2.GaussianBlur(shadow, (0, 0), reach)
    canvas *= 1 - rng.uniform(0.15, 0.6) * shadow[..., None]


def _patch(rng: Generator, canvas: NDArray[np.float32], ground: Ground) -> None:
    """Lay a piece of another ground over this one: a pasted edge that is no subject."""
    height, width = canvas.shape[:2]
    other = ground(rng, width, height)
    centre = rng.uniform(0, 1, 2) * (width, height)
    count = int(rng.integers(3, 8))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    radius = rng.uniform(0.1, 0.4, count) * min(width, height)
    points = centre + np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius[:, None]
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [points.astype(np.int32)], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None]
    canvas *= 1 - mask
    canvas += other * mask


def _box(mask: NDArray[np.float32]) -> tuple[int, int, int, int]:
    rows, columns = np.where((mask > 0.5).any(axis=1))[0], np.where((mask > 0.5).any(axis=0))[0]
    if not rows.size:
        return 0, 0, mask.shape[1], mask.shape[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
