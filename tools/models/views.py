"""Augmented views of the library's pictures through the raw embedder: what the maps are fitted on.

Views of one *thing* (a model from several sides, one emoji by two vendors, one mark drawn twice,
one cloth) must come out alike. Made once a kind and kept in ``<cache>/views/<kind>.npz``.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from imagesearch.vision.views import ink
from numpy.random import Generator
from numpy.typing import NDArray

from tools.models import compose, marks, patterns
from tools.models.collect import Item, collect
from tools.models.drawings import draw, drawings
from tools.models.embedder import raw_embedder
from tools.models.further import FURTHER, further_items
from tools.models.groups import OTHER
from tools.models.icons import coloured
from tools.models.labels import category_of
from tools.models.packages import LITE0, Say, member
from tools.models.render import render_library
from tools.models.restyle import restyle
from tools.models.torchfile import read_tensors

__all__ = [
    "KINDS",
    "RENDER_SEED",
    "Drawer",
    "Grounds",
    "Views",
    "kept_aside",
    "load_cutout",
    "make_views",
    "raw_session",
    "things_of",
    "tint",
]

Picture = NDArray[np.uint8]
Decoder = Mapping[str, NDArray[Any]]

KINDS = {
    "view": 5,
    "emoji": 5,
    "styled": 3,
    "clipart": 4,
    "rare": 12,
    "mark": 4,
    "photo": 6,
    "cloth": 4,
    "drawn": 16,
    "icon": 2,
    "scarce": 5,
    "clip": 4,
    "shop": 8,
}
"""Kinds of things and how many views of each.

``styled``: emoji drawn by another hand; ``rare``: what shows a category of few pictures; ``drawn``:
our own drawings; ``icon``, ``clip``, ``shop``: further pictures with a category; ``scarce``:
icons of categories that have few.
"""

_THINGS = {
    "view": 600,
    "emoji": 900,
    "styled": 600,
    "clipart": 700,
    "rare": 200,
    "mark": 2000,
    "photo": 70,
    "cloth": 700,
}
_RARE = (0, 1, 2, 3, 4, 5, 7, 8, 21)
_SCARCE = (0, 1, 2, 4, 7, 8, 21)
_RESTYLED = {"styled": 1.0, "rare": 0.5, "drawn": 0.15}
RENDER_SEED = 7
"""Seed of the camera and light of the rendered views."""

_SIDE = 224
_RECOLOURED = 0.35
_INKED = 0.5
"""Share of the views of marks that are shown as the service's view ``ink``."""

_PLACING = compose.Placing(
    smallest=0.35, largest=0.95, turn=20, perspective=0.09, patches=0.10, beyond=0.12, second=0.0
)


@dataclass(frozen=True, slots=True)
class Views:
    """Raw embedder outputs of views; ``thing`` numbers the things, ``names`` names them.

    Views of the subject have ``cells``, the others ``logits``; what is not there is 0 wide.
    """

    head: NDArray[np.float32]
    blocks: NDArray[np.float32]
    logits: NDArray[np.float32]
    cells: NDArray[np.float32]
    thing: NDArray[np.int64]
    names: list[str]
    sources: dict[str, int]


class Grounds:
    """Backgrounds: plain ones, parts of photographs, parts of textures."""

    def __init__(self, photographs: list[Picture], textures: list[Picture], plain: float) -> None:
        self._photographs = photographs
        self._textures = textures
        self._plain = plain

    def __call__(self, rng: Generator, width: int, height: int) -> Picture:
        """Return one of the given size."""
        if rng.random() < self._plain:
            return compose.plain_ground(rng, width, height)
        pool = self._photographs if rng.random() < 0.7 else self._textures
        return compose.crop_ground(rng, pool[rng.integers(len(pool))], width, height)


def make_views(
    kind: str, cache: Path, seed: int = 3, decoder: Decoder | None = None, say: Say = print
) -> Views:
    """Return the views of one kind, made unless they are there.

    With the weights of a decoder ``head`` and ``blocks`` are the subject's.
    """
    path = cache / "views" / f"{kind}{f'-{_digest(decoder)}' if decoder else ''}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(kind, cache, path, seed, decoder, say)
    with np.load(path, allow_pickle=False) as stored:
        about = json.loads(str(stored["about"]))
        nothing = np.zeros((len(stored["thing"]), 0), np.float32)
        head, blocks, logits, cells = (
            stored[name].astype(np.float32) if name in stored else nothing
            for name in ("head", "blocks", "logits", "cells")
        )
        return Views(head, blocks, logits, cells, stored["thing"], about["names"], about["sources"])


def raw_session(
    cache: Path, decoder: Decoder | None = None, say: Say = print
) -> onnxruntime.InferenceSession:
    """Return a one-thread session of the raw embedder."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = raw_embedder(read_tensors(member(LITE0, cache, say)), decoder)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def kept_aside() -> set[str]:
    """Return the pictures that an evaluation asks with, as ``package name``."""
    lines = (Path(__file__).parent / "kept_aside.txt").read_text().splitlines()
    return {line for line in lines if not line.startswith("#")}


def load_cutout(cache: Path, item: Item) -> Picture:
    """Return the RGBA array of a cut-out."""
    stored = cv2.imread(str(cache / "pictures" / item.file), cv2.IMREAD_UNCHANGED)
    return np.ascontiguousarray(stored[..., [2, 1, 0, 3]])


def load_photo(cache: Path, item: Item) -> Picture:
    """Return the RGB array of a photograph or texture."""
    return np.ascontiguousarray(cv2.imread(str(cache / "pictures" / item.file))[..., ::-1])


def _digest(decoder: Decoder) -> str:
    digest = hashlib.sha256()
    for name in sorted(decoder):
        digest.update(name.encode() + np.ascontiguousarray(decoder[name]).tobytes())
    return digest.hexdigest()[:8]


def _make(kind: str, cache: Path, path: Path, seed: int, decoder: Decoder | None, say: Say) -> None:
    items = collect(cache, say)
    things = things_of(kind, items, cache, seed, say)
    session = raw_session(cache, decoder, say)
    plain, of_subject = ("head", "blocks", "logits"), ("subject_head", "subject_blocks", "cells")
    names = of_subject if decoder else plain
    outputs: list[list[NDArray[Any]]] = []
    labels: list[int] = []
    batch: list[Picture] = []
    drawer = Drawer(kind, cache, items)
    for number, pictures in enumerate(things.values()):
        for view in range(KINDS[kind]):
            rng = np.random.default_rng([seed, number, view])
            picture = drawer.draw(rng, pictures, view)
            batch.append(cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC))
            labels.append(number)
        if len(batch) >= 16 or number == len(things) - 1:
            outputs.append(session.run(names, {"image": np.stack(batch)}))
            batch = []
        if number % 100 == 0:
            say(f"{kind}: {number} of {len(things)} things")
    sources: dict[str, int] = defaultdict(int)
    for pictures in things.values():
        for item in pictures:
            if item.source:
                sources[item.source] += 1
    about = json.dumps({"names": list(things), "sources": sources})
    arrays = {
        name.removeprefix("subject_"): np.concatenate(part).astype(np.float16)
        for name, part in zip(names, zip(*outputs, strict=True), strict=True)
    }
    np.savez(path, **arrays, thing=np.array(labels), about=np.array(about))


def things_of(
    kind: str, items: list[Item], cache: Path, seed: int = 3, say: Say = print
) -> dict[str, list[Item]]:
    """Group the pictures of a kind by concept, leave out those kept aside, take a sample."""
    if kind == "drawn":
        told = ((name, str(drawing.category)) for name, drawing in drawings().items())
        return {name: [Item("", kind, "", name, label)] for name, label in told}
    if kind == "scarce":
        scarce = [i for i in further_items("icon", cache, say) if int(i.label) in _SCARCE]
        return {item.concept: [item] for item in scarce}
    if kind in FURTHER:
        return {item.concept: [item] for item in further_items(kind, cache, say)}
    if kind == "styled":
        emoji = things_of("emoji", items, cache, seed, say)
        return dict(list(emoji.items())[: _THINGS[kind]])
    if kind in ("view", "rare"):
        views = render_library(cache, KINDS["view"], seed=RENDER_SEED, say=say)
        items = items + views if kind == "rare" else views
    aside = kept_aside()
    grouped: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if _is_of(kind, item) and _name(item) not in aside:
            grouped[item.concept].append(item)
    if kind == "cloth":
        textures = [item for item in items if item.kind == "texture"]
        return {i.concept: [i] for i in textures[:150]} | {f"cloth:{n}": [] for n in range(550)}
    rng = np.random.default_rng(seed)
    names = sorted(grouped)
    order = [names[i] for i in rng.permutation(len(names))]
    order.sort(key=lambda name: _rank(kind, grouped[name]))
    return {name: grouped[name] for name in order[: _THINGS[kind]]}


def _is_of(kind: str, item: Item) -> bool:
    if kind != "rare":
        return item.kind == kind
    drawn = item.kind in ("emoji", "clipart", "view")
    return drawn and category_of(item.kind, item.label) in _RARE


def _name(item: Item) -> str:
    """Return the picture's name as ``kept_aside`` has it."""
    if item.kind != "mark":
        return f"{item.source} {item.label}"
    brand = item.concept.split(":", 1)[1].replace("-", "")
    return f"{item.source.removeprefix('@iconify-json/')} {brand}"


def _rank(kind: str, pictures: list[Item]) -> int:
    """Put first what has a product category, then what was drawn more than once."""
    category = category_of(kind, pictures[0].label)
    labelled = kind in ("emoji", "clipart") and category not in (None, OTHER)
    return 0 if labelled else 1 if len(pictures) > 1 else 2


class Drawer:
    """Draws one view of a thing of the kind; ``busy`` are the grounds that are not plain."""

    def __init__(self, kind: str, cache: Path, items: list[Item]) -> None:
        self._cache = cache
        self._restyled = _RESTYLED.get(kind, 0.0)
        self._draw = {
            "mark": self._mark,
            "photo": self._photo,
            "shop": self._photo,
            "cloth": self._cloth,
        }.get(kind, self._subject)
        photographs = [load_photo(cache, i) for i in items if i.kind == "photo"]
        textures = [load_photo(cache, i) for i in items if i.kind == "texture"]
        self.busy = Grounds(photographs, textures, plain=0.15)
        drawn = [i for i in items if i.source == "@iconify-json/noto" or i.kind == "clipart"]
        self._motifs = [load_cutout(cache, i) for i in drawn[::12]] if kind == "cloth" else []
        self._cloth_in_hand: Picture | None = None

    def draw(self, rng: Generator, pictures: list[Item], view: int) -> Picture:
        """Return the picture of view number ``view``."""
        return self._draw(rng, pictures, view)

    def _subject(self, rng: Generator, pictures: list[Item], view: int) -> Picture:
        shown = pictures[view % len(pictures)]
        if shown.kind == "drawn":
            cutout = draw(rng, drawings()[shown.concept])
        else:
            cutout = load_cutout(self._cache, shown)
        if shown.kind == "icon":
            cutout = coloured(rng, cutout)
        if self._restyled and rng.random() < self._restyled:
            cutout = restyle(rng, cutout)
        plain = view == 0 or rng.random() < 0.25
        ground = compose.plain_ground if plain else self.busy
        return self._composed(rng, cutout, ground, _PLACING)

    def _composed(
        self, rng: Generator, cutout: Picture, ground: compose.Ground, placing: compose.Placing
    ) -> Picture:
        width, height = int(rng.integers(260, 400)), int(rng.integers(260, 400))
        scene = compose.scene(rng, cutout, ground, width, height, placing)
        return scene.picture if rng.random() < 0.1 else _cut(rng, scene)

    def cutout(
        self, rng: Generator, pictures: list[Item], view: int, *, recoloured: bool = False
    ) -> Picture:
        """Return a cut-out of the thing, perhaps in other colours."""
        cutout = load_cutout(self._cache, pictures[view % len(pictures)])
        return marks.recoloured(rng, cutout) if recoloured else cutout

    def _mark(self, rng: Generator, pictures: list[Item], view: int) -> Picture:
        cutout = self.cutout(rng, pictures, view)
        filed = rng.random() < (0.1 if view else 0.8)
        scene = marks.filed(rng, cutout) if filed else marks.met(rng, cutout, self.busy)
        picture = scene.picture if rng.random() < 0.1 else _cut(rng, scene)
        square = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
        return ink(square) if rng.random() < _INKED else square

    def _photo(self, rng: Generator, pictures: list[Item], view: int) -> Picture:
        picture = load_photo(self._cache, pictures[0])
        h, w = picture.shape[:2]
        share = 1.0 if view == 0 else rng.uniform(0.55, 1.0)
        y, x = rng.uniform(0, h * (1 - share)), rng.uniform(0, w * (1 - share))
        cut = picture[int(y) : int(y + h * share), int(x) : int(x + w * share)]
        cut = cut[:, ::-1] if rng.random() < 0.4 else cut
        return compose.spoil(rng, compose.colour(rng, cut, 0.25))

    def _cloth(self, rng: Generator, pictures: list[Item], view: int) -> Picture:
        cloth = self._whole_cloth(rng, pictures, view)
        side = int(rng.integers(240, 330))
        window = patterns.flat if view == 0 else patterns.drape
        return compose.spoil(rng, window(rng, cloth, side))

    def _whole_cloth(self, rng: Generator, pictures: list[Item], view: int) -> Picture:
        if pictures:
            return load_photo(self._cache, pictures[0])
        last = self._cloth_in_hand
        if view == 0 or last is None:
            if last is not None and rng.random() < _RECOLOURED:
                last = patterns.recolour(rng, last)
            else:
                last = patterns.cloth(rng, self._motifs)
            self._cloth_in_hand = last
        return last


def _cut(rng: Generator, scene: compose.Scene) -> Picture:
    """Cut to the box with 4 % margin, each side moved by a normal error of 5 % of the box."""
    x1, y1, x2, y2 = scene.box
    w, h = x2 - x1, y2 - y1
    e = rng.normal(0, 0.05, 4)
    left, right = x1 + (e[0] - 0.04) * w, x2 + (e[1] + 0.04) * w
    top, bottom = y1 + (e[2] - 0.04) * h, y2 + (e[3] + 0.04) * h
    part = scene.picture[max(0, int(top)) : int(bottom) + 1, max(0, int(left)) : int(right) + 1]
    return part if min(part.shape[:2]) >= 8 else scene.picture


def tint(rng: Generator, cutout: Picture) -> compose.Ground:
    """Return a plain ground on which the mark stands out."""
    alpha = cutout[..., 3:].astype(np.float32) / 255
    own = (cutout[..., :3] * alpha).sum(axis=(0, 1)) / (alpha.sum() + 1e-6)
    light = own.mean() < 170
    low, high = (200, 256) if light else (0, 60)
    colour = np.full(3, 255) if light and rng.random() < 0.5 else rng.integers(low, high, 3)

    def ground(_: Generator, width: int, height: int) -> Picture:
        return np.broadcast_to(colour.astype(np.uint8), (height, width, 3)).copy()

    return ground
