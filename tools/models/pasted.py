"""Scenes of photographed subjects: cut out where the teacher is sure, laid on other photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tools.models import compose
from tools.models.collect import collect
from tools.models.packages import Say
from tools.models.photographs import listed
from tools.models.scenes import (
    SIDE,
    TEACHER_SIDE,
    Scenes,
    checksum,
    held_out,
    load,
    save,
    teacher,
    view,
)
from tools.models.views import Grounds, load_photo

__all__ = ["cut_out", "pasted"]

Picture = NDArray[np.uint8]

_LONGER = 352
_VIEWS = 2
_SMALLEST, _LARGEST = 0.04, 0.6
_UNSURE = 0.14
_BEYOND = 0.08


def pasted(cache: Path, count: int, seed: int = 31, say: Say = print) -> Scenes:
    """Return composed scenes of photographed subjects, made unless they are there."""
    photographs = listed("learn")
    path = cache / "scenes" / f"pasted-{seed}-{count}-{checksum(*photographs):08x}.npz"
    if not path.exists():
        save(path, list(_compose(cache, count, seed, say)), cache, say)
    return load(path)


def cut_out(picture: Picture, mask: NDArray[np.float32]) -> Picture | None:
    """Return the subject as RGBA, or ``None`` where the mask is unsure of it.

    Unsure is a mask with many middling values, one of hardly anything or of nearly everything,
    or one that goes beyond the picture (at its lower end more is let pass: people stand there).
    """
    area = float(mask.mean())
    if mask.max() < 0.9 or not _SMALLEST < area < _LARGEST:
        return None
    doubt = float(np.minimum(mask, 1 - mask).mean()) / area
    edges = (mask[0].mean(), 0.3 * mask[-1].mean(), mask[:, 0].mean(), mask[:, -1].mean())
    if doubt > _UNSURE or max(edges) > _BEYOND:
        return None
    height, width = picture.shape[:2]
    alpha = cv2.resize(mask, (width, height), interpolation=cv2.INTER_CUBIC)
    alpha = np.clip((alpha - 0.5) * 1.6 + 0.45, 0, 1)
    rows, columns = np.where((alpha > 0.1).any(axis=1))[0], np.where((alpha > 0.1).any(axis=0))[0]
    whole = np.concatenate([picture, np.round(alpha * 255).astype(np.uint8)[..., None]], axis=2)
    part = whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(part)


def _compose(
    cache: Path, count: int, seed: int, say: Say
) -> Iterator[tuple[Picture, NDArray[np.float32]]]:
    subjects, pictures = _parts(cache, say)
    items = collect(cache, say)
    pictures += [load_photo(cache, i) for i in items if i.kind == "photo" and not held_out(i)]
    textures = [load_photo(cache, i) for i in items if i.kind == "texture"]
    grounds = Grounds(pictures, textures, plain=0.15)
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield _scene(rng, subjects, grounds)


def _parts(cache: Path, say: Say) -> tuple[list[Picture], list[Picture]]:
    """Return the subjects that could be cut out, and all photographs as grounds."""
    mask = teacher(cache, TEACHER_SIDE, say)
    subjects, grounds = [], []
    for photograph in listed("learn"):
        rng = np.random.default_rng(checksum(photograph))
        picture = photograph.picture(cache, say)
        grounds.append(picture)
        for which in range(_VIEWS):
            seen = view(rng, picture, which)
            scale = _LONGER / max(seen.shape[:2])
            size = (round(seen.shape[1] * scale), round(seen.shape[0] * scale))
            small = np.asarray(cv2.resize(seen, size, interpolation=cv2.INTER_AREA), np.uint8)
            subject = cut_out(small, mask(small))
            if subject is not None:
                subjects.append(subject)
    say(f"{len(subjects)} subjects cut out of {len(grounds)} photographs")
    return subjects, grounds


def _scene(
    rng: Generator, subjects: list[Picture], grounds: Grounds
) -> tuple[Picture, NDArray[np.float32]]:
    main, other = (subjects[i] for i in rng.integers(len(subjects), size=2))
    aspect = np.exp(rng.uniform(np.log(0.6), np.log(1.6)))
    width, height = int(340 * np.sqrt(aspect)), int(340 / np.sqrt(aspect))
    scene = compose.scene(rng, main, grounds, width, height, compose.Placing(), other)
    size = (SIDE, SIDE)
    small = cv2.resize(scene.picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), scene.mask
