"""``bundle.json``: how a model bundle's files are used.

``layers/models/README.md`` describes every field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import CATEGORIES, Service
from imagesearch.errors import ModelError

__all__ = [
    "DIMENSIONS",
    "Categories",
    "Curve",
    "Embedder",
    "FileCard",
    "Manifest",
    "Map",
    "Part",
    "Pixels",
    "Recipe",
    "Resize",
    "Subject",
    "ViewName",
    "Votes",
    "is_id",
]

DIMENSIONS = 512
"""Length of every vector."""
Resize = Literal["bicubic", "bilinear"]
"""How a crop is stretched to a network's square."""
ViewName = Literal["plain", "mirror", "turn", "ink", "centre", "quarters"]
"""A way to show a subject; :mod:`imagesearch.vision.views` says what each is."""

_FORMAT = 1
_MAX_BYTES = 1 << 20
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


def is_id(text: str) -> bool:
    """Tell whether a bundle may be called so: 1 to 64 of letters, digits, '.', '_' and '-'."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Pixels:
    """How RGB pixels enter a network: as raw bytes, or as ``(x / 255 − mean) / std``."""

    input: str
    type: Literal["uint8", "float32"]
    layout: Literal["nhwc", "nchw"]
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def tensor(self, squares: NDArray[np.uint8]) -> NDArray[np.uint8] | NDArray[np.float32]:
        """Return ``[n, side, side, 3]`` bytes in the form that the network takes."""
        axes = (0, 3, 1, 2) if self.layout == "nchw" else (0, 1, 2, 3)
        if self.type == "uint8":
            return np.ascontiguousarray(squares.transpose(axes))
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        scaled = (squares.astype(np.float32) / np.float32(255) - mean) / std
        return np.ascontiguousarray(scaled.transpose(axes))


@dataclass(frozen=True, slots=True)
class Embedder:
    """The picture encoder; ``outputs`` gives the width of each output that may be fetched."""

    file: str
    pixels: Pixels
    side: int
    outputs: dict[str, int]
    margin: float = 0.0
    resize: Resize = "bicubic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The subject finder, and how its mask (0…1) becomes regions."""

    file: str
    pixels: Pixels
    side: int
    output: str
    threshold: float
    keep: float
    further: float
    smallest: float
    largest: float
    enlarge: int = 1
    unsure: float = 0.0
    resize: Resize = "bicubic"


@dataclass(frozen=True, slots=True)
class Part:
    """One output of the embedder and its weight in the vector."""

    output: str
    weight: float


@dataclass(frozen=True, slots=True)
class Map:
    """Where the affine map ``(v − mean) · matrix`` lies."""

    file: str
    mean: str
    matrix: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one service's vector is made from the embedder's outputs.

    Where the subject was found and not given, ``whole`` times the vector of the whole picture is
    added: a box that is wrong then costs less.
    """

    parts: tuple[Part, ...]
    map: Map | None = None
    views: tuple[ViewName, ...] = ("plain",)
    whole: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """How the pictures that a search finds vote on the category of what was asked with.

    The first ``most`` count, each by exp(cosine / ``spread``) among themselves and an abstention
    at cosine ``doubt``. What is told is the greatest of log(share + ``floor``) + ``head`` ×
    log(probability of the head).
    """

    most: int
    spread: float
    doubt: float
    floor: float
    head: float


@dataclass(frozen=True, slots=True)
class Categories:
    """The category head: an output of probabilities, one column for each of ``ids``.

    Where the subject was found and the whole picture was looked at as well, what the head says of
    that counts ``whole`` times as much.
    """

    output: str
    ids: tuple[int, ...]
    unsure: float = 0.0
    whole: float = 0.0
    votes: Votes | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A calibration curve: ``(cosine, probability)`` points, cosines ascending."""

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeaningRecipe:
    """How a picture's place among the meanings of texts is made; its arrays are in ``file``.

    ``floor`` is the least probability of a class that is told of a picture.
    """

    file: str
    parts: tuple[Part, ...]
    logits: str
    logit_weight: float
    gamma: float
    temperature: float
    keep: int
    share: float
    floor: float
    encoder: str

    @property
    def outputs(self) -> tuple[str, ...]:
        """Return the outputs of the embedder that it needs."""
        return (*(part.output for part in self.parts), self.logits)


@dataclass(frozen=True, slots=True)
class FileCard:
    """What a file of the bundle must be."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of ``bundle.json``."""

    id: str
    format: int
    files: dict[str, FileCard]
    embedder: Embedder
    services: dict[Service, Recipe]
    subject: Subject | None = None
    categories: Categories | None = None
    calibration: dict[Service, Curve] = field(default_factory=dict)
    meaning: MeaningRecipe | None = None

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read and check ``bundle.json``; :class:`ModelError` says what is wrong with it."""
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise ModelError(f"{path} has more than {_MAX_BYTES} bytes.")
            manifest = msgspec.json.decode(path.read_bytes(), type=cls)
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}.") from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ModelError(f"{path} is not a bundle description: {error}.") from None
        if problem := next(manifest.problems(), None):
            raise ModelError(f"{path}: {problem}.")
        return manifest

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the description itself, one clause each."""
        if self.format != _FORMAT:
            yield f"format is {self.format}; this version reads {_FORMAT}"
        if not is_id(self.id):
            yield f"id {self.id[:80]!r} is not 1 to 64 of letters, digits, '.', '_' and '-'"
        yield from self._file_problems()
        yield from _side_problems("embedder", self.embedder.side)
        if self.subject:
            yield from _subject_problems(self.subject)
        for service in Service:
            yield from self._recipe_problems(service)
        if self.categories:
            yield from self._category_problems(self.categories)
        if self.meaning:
            yield from self._meaning_problems(self.meaning)
        for service, curve in self.calibration.items():
            yield from _curve_problems(service, curve)

    def _file_problems(self) -> Iterator[str]:
        named = {self.embedder.file}
        named |= {self.subject.file} if self.subject else set()
        named |= {recipe.map.file for recipe in self.services.values() if recipe.map}
        named |= {self.meaning.file} if self.meaning else set()
        for name in sorted(named - set(self.files)):
            yield f"{name!r} is used but not listed in files"
        for name in self.files:
            if not _FILE.fullmatch(name):
                yield f"file name {name[:80]!r} is not a plain name within the folder"

    def _recipe_problems(self, service: Service) -> Iterator[str]:
        recipe = self.services.get(service)
        if recipe is None:
            yield f"services has no {service.value}"
            return
        if not recipe.parts or recipe.views[:1] != ("plain",):
            yield f"services.{service.value} needs at least one part, and plain as its first view"
        if not 0 <= recipe.whole <= 4:
            yield f"services.{service.value}.whole is {recipe.whole}; 0 to 4 are possible"
        unknown = {part.output for part in recipe.parts} - set(self.embedder.outputs)
        for output in sorted(unknown):
            yield f"services.{service.value} uses output {output!r}, which the embedder has not"
        if not recipe.map and not unknown and self.width(service) != DIMENSIONS:
            yield (
                f"services.{service.value} has no map, so its parts must have {DIMENSIONS} "
                f"values; they have {self.width(service)}"
            )

    def _category_problems(self, categories: Categories) -> Iterator[str]:
        if (width := self.embedder.outputs.get(categories.output)) != len(categories.ids):
            yield (
                f"categories: output {categories.output!r} has width {width}, "
                f"but there are {len(categories.ids)} ids"
            )
        votes = categories.votes
        if votes and not (votes.most >= 1 and votes.spread > 0 and votes.floor > 0):
            yield "categories.votes: most must be at least 1, spread and floor above 0"
        if not 0 <= categories.whole <= 4:
            yield f"categories.whole is {categories.whole}; 0 to 4 are possible"
        for id_ in categories.ids:
            if id_ not in CATEGORIES:
                yield f"categories: {id_} is not an id of the category table"

    def _meaning_problems(self, meaning: MeaningRecipe) -> Iterator[str]:
        for output in sorted(set(meaning.outputs) - set(self.embedder.outputs)):
            yield f"meaning uses output {output!r}, which the embedder has not"
        if meaning.gamma <= 0 or meaning.temperature <= 0 or meaning.keep < 1:
            yield "meaning: gamma and temperature must be above 0, keep at least 1"
        for name in ("share", "floor"):
            if not 0 <= getattr(meaning, name) <= 1:
                yield f"meaning.{name} is {getattr(meaning, name)}; it must be within 0 and 1"

    def width(self, service: Service) -> int:
        """Return how many values the parts of a service have together."""
        return sum(self.embedder.outputs[part.output] for part in self.services[service].parts)


def _side_problems(name: str, side: int) -> Iterator[str]:
    if not 32 <= side <= 1024:
        yield f"{name}.side is {side}; 32 to 1024 pixels are possible"


def _subject_problems(subject: Subject) -> Iterator[str]:
    yield from _side_problems("subject", subject.side)
    if not 1 <= subject.enlarge <= 8:
        yield f"subject.enlarge is {subject.enlarge}; 1 to 8 are possible"
    for name in ("threshold", "keep", "further", "smallest", "largest", "unsure"):
        if not 0 <= getattr(subject, name) <= 1:
            yield f"subject.{name} is {getattr(subject, name)}; it must be within 0 and 1"


def _curve_problems(service: Service, curve: Curve) -> Iterator[str]:
    cosines = [cosine for cosine, _ in curve.points]
    chances = [chance for _, chance in curve.points]
    if not cosines or cosines != sorted(set(cosines)):
        yield f"calibration.{service.value}: cosines must ascend"
    if chances != sorted(chances) or any(not 0 <= chance <= 1 for chance in chances):
        yield f"calibration.{service.value}: probabilities must lie within 0…1 and not descend"
