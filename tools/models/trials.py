"""Trials of the finished bundle: things on plain grounds as a catalogue, and queries for them.

The pictures go the way that a user's take, finder and all; what the embedder says of the found
subject and of the whole picture is kept. Queries are only for things that no map was fitted on;
a third of the other things is in the catalogue with them. Rivals, more pictures of those others,
make that catalogue as large as is wanted. What is chosen by trials or calibrated on them saw no
evaluation set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import count, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from imagesearch.catalogue import Region, Service
from imagesearch.vision import Vision
from imagesearch.vision.manifest import Manifest
from imagesearch.vision.network import Network
from imagesearch.vision.picture import Original
from imagesearch.vision.views import squares
from numpy.random import Generator
from numpy.typing import NDArray

from tools.models import compose
from tools.models.collect import Item, collect
from tools.models.fit import SERVICES
from tools.models.packages import Say
from tools.models.views import Drawer, things_of, tint

__all__ = ["Trials", "kept_out", "make_rivals", "make_trials"]

Picture = NDArray[np.uint8]
Rows = NDArray[np.float32]

KINDS = {
    Service.PRODUCT: ("view", "emoji", "clipart"),
    Service.FABRIC: ("cloth",),
    Service.TRADEMARK: ("mark",),
}
_QUERIES = 3
_OTHERS = 3  # of the things that maps were fitted on, every third is in the catalogue
_KEPT = 16
_PLAIN = compose.Placing(
    smallest=0.55, largest=0.95, turn=4, perspective=0.0, patches=0.0, beyond=0.0, second=0.0
)
_BUSY = compose.Placing(smallest=0.35, patches=0.15, beyond=0.12)


@dataclass(frozen=True, slots=True)
class Trials:
    """What the embedder says of catalogue and queries: ``(pictures, boxes, views, width)``.

    The boxes are the found one and the whole picture; cloth has only the latter, twice. ``thing``
    and ``asked`` number what catalogue pictures and queries show, ``kind`` is the kind of each
    query's thing.
    """

    catalogue: Rows
    thing: NDArray[np.int64]
    queries: Rows
    asked: NDArray[np.int64]
    kind: NDArray[np.str_]

    def of_kinds(self, kinds: Sequence[str]) -> Trials:
        """Return the same catalogue asked for things of these kinds alone."""
        chosen = np.isin(self.kind, kinds)
        asked = (self.queries[chosen], self.asked[chosen], self.kind[chosen])
        return Trials(self.catalogue, self.thing, *asked)


def make_trials(
    service: Service, bundle: Path, cache: Path, *, most: int = 10_000, say: Say = print
) -> Trials:
    """Return a service's trials of a bundle, of at most so many asked things; made if need be."""
    eyes = _Eyes(bundle, service)
    path = cache / "trials" / f"{eyes.digest}-{service.value}-{most}-kinds.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(eyes, service, path, cache, most, say)
    with np.load(path, allow_pickle=False) as stored:
        return Trials(**{name: stored[name] for name in stored.files})


def make_rivals(
    service: Service, bundle: Path, cache: Path, most: int, *, say: Say = print
) -> Rows:
    """Return the vectors of so many more catalogue pictures, of things that nobody asks for.

    They look as the service sees them; the things take turns. Made if need be.
    """
    manifest = Manifest.read(bundle / "bundle.json")
    files = "".join(sorted(file.sha256 for file in manifest.files.values()))
    seen = hashlib.sha256(f"{files}{manifest.services[service]}".encode()).hexdigest()[:12]
    path = cache / "trials" / f"{seen}-{service.value}-rivals-{most}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        vision, pictures = Vision.load(bundle), islice(_others(service, cache, say), most)
        vectors = [vision.look(_jpeg(picture), service).vector for picture in pictures]
        np.save(path, np.array(vectors, np.float32).reshape(most, -1))
    made: Rows = np.load(path, allow_pickle=False)
    return made


def _others(service: Service, cache: Path, say: Say) -> Iterator[Picture]:
    """Yield catalogue pictures of the things that a map was fitted on, round after round."""
    items, kept = collect(cache, say), kept_out(service, cache, say=say)
    drawers = {kind: Drawer(kind, cache, items) for kind in KINDS[service]}
    things = [
        (kind, pictures)
        for kind in KINDS[service]
        for name, pictures in things_of(kind, items, cache, say=say).items()
        if name not in kept
    ]
    for drawn in count():
        if drawn % 500 == 0:
            say(f"rivals of {service.value}: {drawn}")
        turn, place = divmod(drawn, len(things))
        kind, pictures = things[place]
        rng = np.random.default_rng([10, drawn])
        one = [pictures[turn % len(pictures)]] if pictures else []
        yield _shown(rng, drawers[kind], kind, one, 0)


def _make(eyes: _Eyes, service: Service, path: Path, cache: Path, most: int, say: Say) -> None:
    items, kinds = collect(cache, say), KINDS[service]
    kept = kept_out(service, cache, most=most, say=say)
    shown: dict[str, list[Any]] = {field.name: [] for field in fields(Trials)}
    number = 0
    for kind in kinds:
        drawer = Drawer(kind, cache, items)
        for place, (name, pictures) in enumerate(things_of(kind, items, cache, say=say).items()):
            if name not in kept and (place % _OTHERS or place > _OTHERS * most):
                continue
            for query, picture in _pictures(drawer, kind, pictures, number, name in kept):
                shown["queries" if query else "catalogue"].append(eyes.say(picture))
                shown["asked" if query else "thing"].append(number)
                if query:
                    shown["kind"].append(kind)
            number += 1
            if number % 200 == 0:
                say(f"trials of {service.value}: {number} things")
    half = dict.fromkeys(("catalogue", "queries"), np.float16)
    arrays = {name: np.array(rows, half.get(name)) for name, rows in shown.items()}
    np.savez(path, **arrays)


def kept_out(service: Service, cache: Path, *, most: int = 10_000, say: Say = print) -> set[str]:
    """Return the names of ``most`` of the things that the service's map was not fitted on."""
    items, kinds = collect(cache, say), SERVICES[service.value][1]
    names = {name for kind in kinds for name in things_of(kind, items, cache, say=say)}
    kept = [name for place, name in enumerate(sorted(names)) if place % _KEPT < 2]
    return {kept[place] for place in np.linspace(0, len(kept) - 1, min(most, len(kept)), dtype=int)}


def _pictures(
    drawer: Drawer, kind: str, pictures: Sequence[Item], number: int, asked: bool
) -> Iterator[tuple[bool, Picture]]:
    """Yield the catalogue picture of a thing and, if it is asked for, its queries."""
    for view in range(1 + _QUERIES * asked):
        rng = np.random.default_rng([9, number, view])
        yield view > 0, _shown(rng, drawer, kind, pictures, view)


def _shown(
    rng: Generator, drawer: Drawer, kind: str, pictures: Sequence[Item], view: int
) -> Picture:
    """Return one picture of a thing: view 0 is the catalogue's."""
    if kind == "cloth":
        return drawer.draw(rng, list(pictures), view)
    cutout = drawer.cutout(rng, list(pictures), view, recoloured=kind == "mark" and view > 1)
    ground: compose.Ground = drawer.busy
    if view == 0 or (kind == "mark" and view % 2):
        ground = tint(rng, cutout) if kind == "mark" else compose.plain_ground
    width, height = int(rng.integers(260, 400)), int(rng.integers(260, 400))
    placing = _BUSY if view else _PLAIN
    return compose.scene(rng, cutout, ground, width, height, placing).picture


def _jpeg(picture: Picture) -> bytes:
    quality = [int(cv2.IMWRITE_JPEG_QUALITY), 90]
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], quality)[1])


class _Eyes:
    """What a bundle says of a picture, for one service."""

    def __init__(self, folder: Path, service: Service) -> None:
        manifest = Manifest.read(folder / "bundle.json")
        self._spec, self._recipe = manifest.embedder, manifest.services[service]
        self.digest = manifest.files[self._spec.file].sha256[:12]
        self._vision = Vision.load(folder)
        self._network = Network(folder / self._spec.file)
        self._service = service

    def say(self, picture: Picture) -> Rows:
        """Return the parts of the vector, ``(2 boxes, views, width)``."""
        image = _jpeg(picture)
        region = self._vision.look(image, self._service).region
        original = Original.open(image)
        return np.stack([self._parts(original, box) for box in (region, original.whole)])

    def _parts(self, original: Original, box: Region) -> Rows:
        shown = squares(original, box, self._recipe.views, self._spec)
        names = [part.output for part in self._recipe.parts]
        said = self._network.run(self._spec.pixels, shown, names)
        joined: Rows = np.concatenate(said, axis=1)
        return joined
