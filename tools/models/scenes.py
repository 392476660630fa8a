"""Pictures with subject masks for the decoder, kept as the feature maps of the frozen Lite0.

Composites have exact masks. Photographs get the masks of U²-Netp at 320 (the teacher) on random
crops. All are stretched to 256 × 256; maps are kept as float16, masks at stride 4 as uint8.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.random import Generator
from numpy.typing import NDArray

from tools.models import compose
from tools.models.collect import Item, collect
from tools.models.embedder import model
from tools.models.graph import Graph
from tools.models.lite import add_backbone
from tools.models.packages import LITE0, U2NETP, Say, member
from tools.models.photographs import Photograph, listed
from tools.models.render import render_library
from tools.models.torchfile import read_tensors
from tools.models.u2netp import subject_model
from tools.models.views import (
    KINDS,
    RENDER_SEED,
    Grounds,
    kept_aside,
    load_cutout,
    load_photo,
)

__all__ = [
    "SIDE",
    "TEACHER_SIDE",
    "Scenes",
    "composites",
    "held_out",
    "photographs",
    "taught",
    "teacher",
]

Picture = NDArray[np.uint8]

SIDE = 256
_STRIDE = 4
TEACHER_SIDE = 320
# kinds of subjects and how often each is drawn
_PART = 30
_SHARES = {"view": 0.48, "emoji": 0.18, "clipart": 0.22, "mark": 0.12}


@dataclass(frozen=True, slots=True)
class Scenes:
    """Feature maps by name, masks [n, 64, 64], and the chance of each scene to be drawn."""

    maps: dict[str, NDArray[np.float16]]
    masks: NDArray[np.uint8]
    chance: NDArray[np.float64]

    def sample(self, rng: Generator, count: int) -> NDArray[np.int64]:
        """Return the indices of ``count`` scenes."""
        return np.sort(rng.choice(len(self.masks), count, p=self.chance))

    def normals(self, count: int = 400) -> dict[str, NDArray[np.float32]]:
        """Return mean and 1 / (deviation + 0.001) of every channel over some scenes."""
        fitted: dict[str, NDArray[np.float32]] = {}
        for name, values in self.maps.items():
            part = values[:: max(1, len(values) // count)].astype(np.float32)
            fitted[f"{name}.mean"] = part.mean(axis=(0, 2, 3))
            fitted[f"{name}.scale"] = 1 / (part.std(axis=(0, 2, 3)) + 0.001)
        return fitted

    @staticmethod
    def together(parts: list[Scenes], shares: list[float]) -> Scenes:
        """Join several sets; each is drawn from with its share."""
        maps = {n: np.concatenate([part.maps[n] for part in parts]) for n in parts[0].maps}
        masks = np.concatenate([part.masks for part in parts])
        chance = [
            np.full(len(p.masks), s / len(p.masks)) for p, s in zip(parts, shares, strict=True)
        ]
        joined = np.concatenate(chance)
        return Scenes(maps, masks, joined / joined.sum())


def held_out(item: Item) -> bool:
    """Tell whether a photograph is kept out of fitting, to measure on: every fourth."""
    return sum(item.file.encode()) % 4 == 0


def composites(cache: Path, count: int, seed: int = 11, say: Say = print) -> Scenes:
    """Return composed scenes, made in parts of 500 unless they are there."""
    parts = []
    for part in range(-(-count // 500)):
        path = cache / "scenes" / f"composites-{seed}-{part}.npz"
        if not path.exists():
            _save(path, list(_compose(cache, 500, seed + 1000 * part, say)), cache, say)
        parts.append(_load(path))
    return Scenes.together(parts, [1.0] * len(parts))


def photographs(cache: Path, crops: int, seed: int = 12, say: Say = print) -> Scenes:
    """Return crops of the photographs with teacher masks, made unless they are there."""
    path = cache / "scenes" / f"photographs-{seed}-{crops}.npz"
    if not path.exists():
        items = [i for i in collect(cache, say) if i.kind == "photo" and not held_out(i)]
        mask = teacher(cache, TEACHER_SIDE, say)
        scenes = []
        for number, item in enumerate(items):
            rng = np.random.default_rng([seed, number])
            picture = load_photo(cache, item)
            for crop in range(crops):
                cut = picture if crop == 0 else _photo_crop(rng, picture)
                scenes.append(
                    (cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA), mask(cut))
                )
            say(f"teacher masks: {number + 1} of {len(items)} photographs")
        _save(path, scenes, cache, say)
    return _load(path)


def taught(
    cache: Path, views: int, seed: int = 21, parts: Iterable[int] | None = None, say: Say = print
) -> Scenes:
    """Return views of the photographs to learn from with teacher masks, made unless they are there.

    Views are the whole picture and parts of it, each in three disguises. ``parts`` limits it to
    some of the parts of 30 photographs, so that several processes can share the work.
    """
    pictures = listed("learn")
    found = []
    for part in range(-(-len(pictures) // _PART)) if parts is None else parts:
        here = pictures[part * _PART : (part + 1) * _PART]
        path = cache / "scenes" / f"taught-{seed}-{views}-{_checksum(*here):08x}.npz"
        if not path.exists():
            mask = teacher(cache, TEACHER_SIDE, say)
            scenes = [
                scene
                for photograph in here
                for scene in _scenes_of(photograph, views, seed, mask, cache, say)
            ]
            _save(path, scenes, cache, say)
            say(f"teacher masks: part {part} of the listed photographs")
        found.append(_load(path))
    return Scenes.together(found, [float(len(part.masks)) for part in found])


def _scenes_of(
    photograph: Photograph, views: int, seed: int, mask: teacher, cache: Path, say: Say
) -> Iterator[tuple[Picture, NDArray[np.float32]]]:
    rng = np.random.default_rng([seed, _checksum(photograph)])
    picture = photograph.picture(cache, say)
    for number in range(views):
        cut = _view(rng, picture, number)
        yield from _disguised(rng, cut, mask(cut))


def _checksum(*photographs: Photograph) -> int:
    return zlib.crc32("\n".join(f"{p.source} {p.path}" for p in photographs).encode())


class teacher:  # noqa: N801
    """U²-Netp as a function: picture → mask of the same size, 0…1."""

    def __init__(self, cache: Path, side: int, say: Say = print) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        net = subject_model(member(U2NETP, cache, say), side).SerializeToString()
        self._side = side
        self._session = onnxruntime.InferenceSession(
            net, options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, picture: Picture) -> NDArray[np.float32]:
        """Return the mask, stretched so that its maximum is 1."""
        size = (self._side, self._side)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        (mask,) = self._session.run(["mask"], {"image": small[None]})
        top = float(mask[0].max())
        scaled: NDArray[np.float32] = mask[0] / top if top > 0.2 else mask[0]
        return scaled


def _compose(
    cache: Path, count: int, seed: int, say: Say
) -> Iterator[tuple[Picture, NDArray[np.float32]]]:
    items = collect(cache, say) + render_library(cache, KINDS["view"], seed=RENDER_SEED, say=say)
    aside = kept_aside()
    pools = {
        kind: [i for i in items if i.kind == kind and f"{i.source} {i.label}" not in aside]
        for kind in _SHARES
    }
    photos = [load_photo(cache, i) for i in items if i.kind == "photo" and not held_out(i)]
    textures = [load_photo(cache, i) for i in items if i.kind == "texture"]
    grounds = Grounds(photos, textures, plain=0.15)
    rng = np.random.default_rng(seed)
    for number in range(count):
        main, other = (_draw(rng, pools, cache) for _ in range(2))
        aspect = np.exp(rng.uniform(np.log(0.6), np.log(1.6)))
        width, height = int(340 * np.sqrt(aspect)), int(340 / np.sqrt(aspect))
        scene = compose.scene(rng, main, grounds, width, height, compose.Placing(), other)
        size = (SIDE, SIDE)
        yield cv2.resize(scene.picture, size, interpolation=cv2.INTER_AREA), scene.mask
        if number % 100 == 0:
            say(f"composites: {number} of {count}")


def _draw(rng: Generator, pools: dict[str, list[Item]], cache: Path) -> Picture:
    kind = rng.choice(list(_SHARES), p=list(_SHARES.values()))
    pool = pools[kind]
    return load_cutout(cache, pool[rng.integers(len(pool))])


def _view(rng: Generator, picture: Picture, number: int) -> Picture:
    """Return the whole picture first, then by turns a part of its own shape and any part."""
    if number == 0:
        return picture
    if number % 2 == 0:
        return np.ascontiguousarray(_part(rng, picture))
    h, w = picture.shape[:2]
    share = rng.uniform(0.4, 0.95)
    y, x = int(rng.uniform(0, h * (1 - share))), int(rng.uniform(0, w * (1 - share)))
    return np.ascontiguousarray(picture[y : y + int(h * share), x : x + int(w * share)])


def _disguised(
    rng: Generator, cut: Picture, mask: NDArray[np.float32]
) -> Iterator[tuple[Picture, NDArray[np.float32]]]:
    """Yield the view as it is or spoilt, mirrored and spoilt, and spoilt and sometimes grey.

    All have the mask that the teacher gives to the plain one.
    """
    yield _small(cut if rng.random() < 0.5 else _spoilt(rng, cut)), mask
    yield np.ascontiguousarray(_small(_spoilt(rng, cut))[:, ::-1]), mask[:, ::-1].copy()
    third = _small(_spoilt(rng, cut))
    if rng.random() < 0.1:
        third = np.repeat(third.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    yield third, mask


def _spoilt(rng: Generator, cut: Picture) -> Picture:
    return compose.spoil(rng, compose.colour(rng, cut, 0.2))


def _small(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _photo_crop(rng: Generator, picture: Picture) -> Picture:
    cut = _part(rng, picture)
    cut = cut[:, ::-1] if rng.random() < 0.5 else cut
    return compose.spoil(rng, compose.colour(rng, cut, 0.15))


def _part(rng: Generator, picture: Picture) -> Picture:
    h, w = picture.shape[:2]
    share = np.exp(rng.uniform(np.log(0.3), 0))
    aspect = np.exp(rng.uniform(np.log(0.6), np.log(1.6)))
    cut_w, cut_h = min(w, w * share * np.sqrt(aspect)), min(h, h * share / np.sqrt(aspect))
    x, y = rng.uniform(0, w - cut_w), rng.uniform(0, h - cut_h)
    return picture[int(y) : int(y + cut_h) + 1, int(x) : int(x + cut_w) + 1]


def _save(
    path: Path, scenes: list[tuple[Picture, NDArray[np.float32]]], cache: Path, say: Say
) -> None:
    session = _maps_session(cache, say)
    maps: dict[str, list[NDArray[np.float16]]] = {"s8": [], "s16": [], "s32": []}
    masks = []
    for picture, mask in scenes:
        for name, values in zip(maps, _run(session, maps, picture), strict=True):
            maps[name].append(values[0].astype(np.float16))
        side = SIDE // _STRIDE
        small = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
        masks.append(np.round(small * 255).clip(0, 255).astype(np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, masks=np.stack(masks), **{n: np.stack(v) for n, v in maps.items()})


def _maps_session(cache: Path, say: Say) -> onnxruntime.InferenceSession:
    graph = Graph()
    add_backbone(graph, "image", read_tensors(member(LITE0, cache, say)))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model(graph, {}, ("s8", "s16", "s32"), "Lite0's maps").SerializeToString(),
        options,
        providers=["CPUExecutionProvider"],
    )


def _run(
    session: onnxruntime.InferenceSession, names: Iterable[str], picture: Picture
) -> list[NDArray[np.float32]]:
    return list(session.run(list(names), {"image": picture[None]}))


def _load(path: Path) -> Scenes:
    with np.load(path, allow_pickle=False) as stored:
        maps = {name: stored[name] for name in ("s8", "s16", "s32")}
        count = len(stored["masks"])
        return Scenes(maps, stored["masks"], np.full(count, 1 / count))
