"""Look at a picture: decode, find the subject, name its category, make its vector."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import OTHER, Region, Service
from imagesearch.errors import ModelError
from imagesearch.vision.blend import Blend
from imagesearch.vision.bundle import Bundle
from imagesearch.vision.category import blended, choose, settled
from imagesearch.vision.manifest import DIMENSIONS
from imagesearch.vision.meaning import MeaningMap
from imagesearch.vision.network import Network
from imagesearch.vision.picture import Original
from imagesearch.vision.reasons import Reasons, covered, shares
from imagesearch.vision.subject import regions_of
from imagesearch.vision.views import squares

__all__ = ["View", "Vision"]


@dataclass(frozen=True, slots=True)
class View:
    """What was seen in a picture.

    ``width`` and ``height`` are of the upright picture in pixels, the coordinates of ``region``
    (the subject that was used) and ``regions`` (all that were found, the main one first).
    ``vector`` is ``(512,)`` float32 of unit length. ``took_ms`` has ``decode``, ``subject`` and
    ``embed`` in milliseconds. ``confidence`` is the probability (0…1) of the predicted category;
    ``None`` when it was given or the service has none, and so are ``chances``, the probability of
    each category, empty. ``classes`` (at most 3 numbers) and
    ``meaning``, ``(512,)`` float32 of unit length, are there if they were asked for and the bundle
    has them.
    """

    width: int
    height: int
    region: Region
    regions: tuple[Region, ...]
    category_id: int
    vector: NDArray[np.float32]
    took_ms: Mapping[str, float]
    confidence: float | None = None
    classes: tuple[int, ...] = ()
    meaning: NDArray[np.float32] | None = None
    chances: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Embedded:
    """What the embedder tells of a subject; the fields are those of :class:`View`."""

    vector: NDArray[np.float32]
    category_id: int
    confidence: float | None
    classes: tuple[int, ...] = ()
    meaning: NDArray[np.float32] | None = None
    chances: Mapping[int, float] = field(default_factory=dict)


class _Watch:
    """Adds up the milliseconds of each stage by a clock of seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.took_ms = {"decode": 0.0, "subject": 0.0, "embed": 0.0}
        self._clock = clock
        self._since = clock()

    def stop(self, stage: str) -> None:
        now = self._clock()
        self.took_ms[stage] += (now - self._since) * 1000
        self._since = now


class Vision:
    """One loaded model bundle; thread-safe. Its networks are opened when first needed."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int = 1,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Take a checked bundle; one run of a network uses at most ``threads`` threads.

        ``clock`` gives the seconds by which the stages of a look are timed.
        """
        manifest = bundle.manifest
        files = {manifest.embedder.file, *([manifest.subject.file] if manifest.subject else [])}
        self.model = manifest.id
        self._manifest = manifest
        self._bundle = bundle
        self._networks = {name: Network(bundle.path(name), threads=threads) for name in files}
        self._blends: dict[Service, Blend] = {}
        self._meaning: MeaningMap | None = None
        self._lock = threading.Lock()
        self._clock = clock

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Vision:
        """Load the bundle in ``folder``.

        Raises :class:`~imagesearch.errors.ModelError` if a file is missing or altered, or if the
        description is wrong.
        """
        return cls(Bundle(folder), threads=threads)

    def warm(self) -> None:
        """Open every network and check its inputs and outputs against the bundle, now."""
        embedder, subject = self._manifest.embedder, self._manifest.subject
        self._networks[embedder.file].check(embedder.pixels, dict(embedder.outputs))
        if subject:
            self._networks[subject.file].check(subject.pixels, {subject.output: None})
        for service in Service:
            self._blend(service)

    def look(
        self,
        image: bytes,
        service: Service,
        *,
        region: Region | None = None,
        crop: bool = True,
        category_id: int | None = None,
        on_thumbnail: Callable[[bytes], None] | None = None,
        meaning: bool = False,
    ) -> View:
        """Look at the bytes of a picture file for a service.

        ``region`` is the subject in pixels of the upright picture; without it the subject is
        found. With ``crop=False``, and always for cloth, the whole picture is the subject. A
        given ``category_id`` is passed through, without it a product's is predicted; the other
        services know only ``OTHER``. The same bytes and region always give the same vector, bit
        for bit; a region that was found gives another one than the same region given, if the
        bundle adds the whole picture to it. ``on_thumbnail`` is given a small copy as a JPEG file
        as soon as the pixels are unpacked. With ``meaning`` the view has classes and meaning too,
        for about a millisecond more. Raises a :class:`~imagesearch.errors.PictureError` for a
        picture that cannot be used and :class:`~imagesearch.errors.InvalidRegion` for a region
        that is not inside it.
        """
        watch = _Watch(self._clock)
        original = Original.open(image)
        cropped = crop and service.crops
        given = region.within(original.width, original.height) if cropped and region else None
        original.decode(given or original.whole)
        if on_thumbnail:
            on_thumbnail(original.thumbnail())
        watch.stop("decode")
        regions = (given,) if given else self._find(original) if cropped else (original.whole,)
        watch.stop("subject")
        original.decode(regions[0])
        watch.stop("decode")
        found = cropped and given is None
        embedded = self._embed(
            original, regions[0], service, category_id, found=found, meaning=meaning
        )
        watch.stop("embed")
        return View(
            original.width,
            original.height,
            regions[0],
            regions,
            embedded.category_id,
            embedded.vector,
            watch.took_ms,
            embedded.confidence,
            embedded.classes,
            embedded.meaning,
            embedded.chances,
        )

    def reasons(
        self,
        image: bytes,
        service: Service,
        other: NDArray[np.float32],
        *,
        region: Region | None = None,
        crop: bool = True,
        cells: int = 7,
    ) -> Reasons:
        """Tell which cells of a picture make it alike to a picture of the unit vector ``other``.

        The subject is chosen as by :meth:`look`. Costs ``cells`` squared runs of the embedder, and
        one: about 0.3 s for 7. Only the plain view of the subject is looked at.
        """
        original = Original.open(image)
        cropped = crop and service.crops
        given = region.within(original.width, original.height) if cropped and region else None
        original.decode(given or original.whole)
        used = given or (self._find(original)[0] if cropped else original.whole)
        original.decode(used)
        embedder = self._manifest.embedder
        plain = squares(original, used, ("plain",), embedder)[0]
        cosine = float(self._plain_vectors(plain[np.newaxis], service)[0] @ other)
        # A row of cells at a time bounds the memory.
        hidden = list(covered(plain, cells))
        rows = [np.stack(hidden[start : start + cells]) for start in range(0, cells**2, cells)]
        without = np.concatenate([self._plain_vectors(row, service) @ other for row in rows])
        return Reasons(used, cosine, shares(cosine, without, cells))

    def _plain_vectors(self, shown: NDArray[np.uint8], service: Service) -> NDArray[np.float32]:
        """Return the unit vectors of squares, each for itself, (n, 512)."""
        embedder, blend = self._manifest.embedder, self._blend(service)
        names = list(dict.fromkeys(blend.outputs))
        values = self._networks[embedder.file].run(embedder.pixels, shown, names)
        said = dict(zip(names, values, strict=True))
        return np.stack(
            [
                blend.vector({name: value[i : i + 1] for name, value in said.items()}, whole=False)
                for i in range(len(shown))
            ]
        )

    @property
    def meaning(self) -> MeaningMap | None:
        """Return the map to the meanings of texts, read when first needed; ``None`` without one."""
        recipe = self._manifest.meaning
        with self._lock:
            if self._meaning is None and recipe:
                self._meaning = MeaningMap(self._bundle, recipe)
            return self._meaning

    def settled(self, view: View, neighbours: Iterable[tuple[int, float]]) -> int:
        """Return a view's category after what it looks like has voted.

        ``neighbours`` are the categories and cosines of indexed pictures, most alike first. A
        category that was given stays, and so does the prediction of a bundle without votes.
        """
        votes = self._manifest.categories.votes if self._manifest.categories else None
        if votes is None or not view.chances:
            return view.category_id
        return settled(votes, view.chances, neighbours)

    def probability(self, service: Service, cosine: float) -> float | None:
        """Return how likely two pictures of this cosine show the same thing, 0…1.

        Piecewise linear between the bundle's calibration points; ``None`` without any.
        """
        curve = self._manifest.calibration.get(service)
        if curve is None:
            return None
        cosines, chances = zip(*curve.points, strict=True)
        return float(np.interp(cosine, cosines, chances))

    def _find(self, original: Original) -> tuple[Region, ...]:
        rules = self._manifest.subject
        if rules is None:
            return (original.whole,)
        square = original.crop(original.whole, rules.side, resize=rules.resize)[np.newaxis]
        (mask,) = self._networks[rules.file].run(rules.pixels, square, [rules.output])
        rows, columns = mask.shape[-2:]
        flat = mask.reshape(rows, columns)
        return regions_of(flat, original.width, original.height, rules)

    def _embed(
        self,
        original: Original,
        region: Region,
        service: Service,
        category_id: int | None,
        *,
        found: bool,
        meaning: bool,
    ) -> _Embedded:
        embedder, categories = self._manifest.embedder, self._manifest.categories
        blend, meant = self._blend(service), self.meaning if meaning else None
        shown = squares(original, region, blend.views, embedder)
        mixed = bool(found and blend.whole and region != original.whole)
        if mixed:
            whole = squares(original, original.whole, ("plain",), embedder)
            shown = np.concatenate([shown, whole])
        if not service.has_categories:
            category_id = OTHER
        head = categories if category_id is None else None
        outputs = [*blend.outputs, *(meant.outputs if meant else ())]
        names = list(dict.fromkeys([*outputs, *([head.output] if head else [])]))
        values = self._networks[embedder.file].run(embedder.pixels, shown, names)
        said = dict(zip(names, values, strict=True))
        vector = blend.vector(said, whole=mixed)
        if vector.shape != (DIMENSIONS,) or not np.isfinite(vector).all():
            raise ModelError(f"bundle {self.model} gave a vector that is not {DIMENSIONS} numbers.")
        id_, confidence = OTHER if category_id is None else category_id, None
        chances: dict[int, float] = {}
        if head:
            told = blended(head, said[head.output], whole=mixed)
            id_, confidence = choose(head, told)
            chances = dict(zip(head.ids, told.tolist(), strict=True))
        if meant is None:
            return _Embedded(vector, id_, confidence, chances=chances)
        return _Embedded(vector, id_, confidence, meant.classes(said), meant.place(said), chances)

    def _blend(self, service: Service) -> Blend:
        with self._lock:
            if service not in self._blends:
                self._blends[service] = Blend(self._bundle, service)
            return self._blends[service]
