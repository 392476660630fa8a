"""How far the subject found on a photograph agrees with the one of U²-Netp at 320, the teacher.

Measured on the photographs kept aside, whole and in two crops each. No true boxes are drawn on
them: the teacher's are the nearest thing to it that an open model gives.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from imagesearch.catalogue import Region, Service
from imagesearch.vision import Vision
from imagesearch.vision.manifest import Manifest, Pixels, Subject
from imagesearch.vision.subject import regions_of
from numpy.typing import NDArray
from PIL import Image

from tools.models.collect import collect
from tools.models.packages import Say
from tools.models.photographs import Use, listed
from tools.models.scenes import TEACHER_SIDE, held_out, teacher
from tools.models.views import load_photo

__all__ = ["agreement", "kept_aside_photographs"]

Picture = NDArray[np.uint8]

_LESSER_SIDE = 224
_TEACHERS_RULES = Subject(
    file="",
    pixels=Pixels(input="image", type="uint8", layout="nhwc"),
    side=TEACHER_SIDE,
    output="mask",
    threshold=0.5,
    keep=0.3,
    further=0.1,
    smallest=0.02,
    largest=0.95,
    unsure=0.3,
)
_CROPS = 2
_NAMES: dict[Use, str] = {"measure": "kept-aside", "choose": "chosen-by"}


def agreement(
    bundle: Path, cache: Path, use: Use = "measure", say: Say = print
) -> dict[str, float]:
    """Return mean IoU with the teacher's boxes: the bundle's, U²-Netp's at 224, whole pictures.

    Of the photographs to measure on or, to choose between decoders, of those to choose by.
    """
    vision = Vision.load(bundle)
    rules = Manifest.read(bundle / "bundle.json").subject
    if rules is None:
        raise ValueError(f"the bundle in {bundle} finds no subjects")
    pictures = list(kept_aside_photographs(cache, use, say))
    right, lesser = (
        _boxes(cache, f"{_NAMES[use]}-{side}", side, pictures, say)
        for side in (TEACHER_SIDE, _LESSER_SIDE)
    )

    def ours(picture: Picture) -> Region:
        return vision.look(_png(picture), Service.PRODUCT).region

    def whole(picture: Picture) -> Region:
        return Region.whole(picture.shape[1], picture.shape[0])

    return {
        "pictures": len(pictures),
        "bundle": _mean(map(ours, pictures), right),
        "U2-Netp at 224": _mean(lesser, right),
        "whole picture": _mean(map(whole, pictures), right),
    }


def kept_aside_photographs(
    cache: Path, use: Use = "measure", say: Say = print
) -> Iterator[Picture]:
    """Yield each photograph of this use, on none of which anything was fitted, and two parts."""
    loaders: list[Callable[[], Picture]] = [
        lambda item=item: load_photo(cache, item)  # type: ignore[misc]
        for item in (collect(cache, say) if use == "measure" else ())
        if item.kind == "photo" and held_out(item)
    ]
    loaders += [
        lambda photograph=photograph: photograph.picture(cache, say)  # type: ignore[misc]
        for photograph in listed(use)
    ]
    for number, load in enumerate(loaders):
        picture = load()
        yield picture
        rng = np.random.default_rng([99, number])
        height, width = picture.shape[:2]
        for _ in range(_CROPS):
            share = rng.uniform(0.4, 0.9)
            y, x = rng.uniform(0, height * (1 - share)), rng.uniform(0, width * (1 - share))
            part = picture[int(y) : int(y + height * share), int(x) : int(x + width * share)]
            yield np.ascontiguousarray(part)


def _boxes(cache: Path, name: str, side: int, pictures: list[Picture], say: Say) -> list[Region]:
    """Return U²-Netp's boxes, kept in the cache: at 320 each costs over half a second."""
    path = cache / "scenes" / f"{name}-{len(pictures)}.npy"
    if not path.exists():
        mask = teacher(cache, side, say)
        found = [regions_of(mask(p), p.shape[1], p.shape[0], _TEACHERS_RULES)[0] for p in pictures]
        np.save(path, np.array([(r.x1, r.x2, r.y1, r.y2) for r in found]))
    return [Region(*map(int, row)) for row in np.load(path)]


def _mean(found: Iterable[Region], right: list[Region]) -> float:
    return round(
        float(np.mean([_overlap(a, b) for a, b in zip(found, right, strict=True)])),
        3,
    )


def _overlap(a: Region, b: Region) -> float:
    """Return intersection over union."""
    width = max(0, min(a.x2, b.x2) - max(a.x1, b.x1))
    both = width * max(0, min(a.y2, b.y2) - max(a.y1, b.y1))
    return both / (a.area + b.area - both)


def _png(picture: Picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
