"""A model bundle on disk: a folder of ONNX files, fitted arrays and ``bundle.json``."""

from __future__ import annotations

import hashlib
import mmap
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Service
from imagesearch.errors import ModelError
from imagesearch.vision.manifest import DIMENSIONS, FileCard, Manifest
from imagesearch.vision.onnxfile import has_external_data

__all__ = ["Bundle"]

Arrays = dict[str, NDArray[np.generic]]


class Bundle:
    """A bundle whose files are exactly those its description names. Thread-safe.

    Every failure is a :class:`~imagesearch.errors.ModelError` that names the file.
    """

    def __init__(self, folder: Path) -> None:
        """Read ``bundle.json``, and check the digest of every file but the one of meanings."""
        self.manifest = Manifest.read(folder / "bundle.json")
        self.folder = folder
        self._archives: dict[str, Arrays] = {}
        self._lock = threading.Lock()
        late = self.manifest.meaning.file if self.manifest.meaning else None
        for name, card in self.manifest.files.items():
            if name != late:  # needed by those who add pictures only
                _check(folder / name, card)

    def path(self, name: str) -> Path:
        """Return where a file of the bundle lies."""
        return self.folder / name

    def map(self, service: Service) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Return mean ``(width,)`` and matrix ``(width, 512)`` of a service, if it has a map."""
        where = self.manifest.services[service].map
        if where is None:
            return None
        width = self.manifest.width(service)
        mean = self._array(where.file, where.mean, (width,))
        return mean, self._array(where.file, where.matrix, (width, DIMENSIONS))

    def meaning(self) -> Mapping[str, NDArray[np.float32]]:
        """Return the arrays by which a picture's meaning is made, checking their file first."""
        recipe = self.manifest.meaning
        if recipe is None:
            raise ModelError(f"bundle {self.manifest.id} has no meaning.")
        _check(self.path(recipe.file), self.manifest.files[recipe.file])
        stored = _read_arrays(self.path(recipe.file))
        width = sum(self.manifest.embedder.outputs[output] for output in recipe.outputs)
        classes = self.manifest.embedder.outputs[recipe.logits]
        axes = stored["axes"].shape[-1] if "axes" in stored else 0
        points = len(stored["points"]) if "points" in stored else 0
        shapes = {
            "mean": (width,),
            "axes": (width, axes),
            "points": (points, axes),
            "weights": (points, DIMENSIONS),
            "offset": (DIMENSIONS,),
            "classes": (classes, DIMENSIONS),
            "centre": (DIMENSIONS,),
        }
        return {name: self._array(recipe.file, name, shape) for name, shape in shapes.items()}

    def _array(self, file: str, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        with self._lock:
            if file not in self._archives:
                self._archives[file] = _read_arrays(self.path(file))
            array = self._archives[file].get(name)
        if array is None or array.dtype.kind != "f" or array.shape != shape:
            seen = "is missing" if array is None else f"is {array.dtype} of shape {array.shape}"
            raise ModelError(f"{file}: array {name!r} {seen}; floats of shape {shape} are needed.")
        return array.astype(np.float32)


def _check(path: Path, card: FileCard) -> None:
    try:
        with path.open("rb") as handle:
            size = path.stat().st_size
            if size != card.bytes or not size:
                raise ModelError(f"{path} has {size} bytes, not {card.bytes}.")
            with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
                _check_content(path, content, card)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from None


def _check_content(path: Path, content: mmap.mmap, card: FileCard) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != card.sha256:
        raise ModelError(f"{path} was altered: its SHA-256 is {digest}, not {card.sha256}.")
    if path.suffix != ".onnx":
        return
    try:
        with memoryview(content) as view:
            outside = has_external_data(view)
    except ValueError as error:
        raise ModelError(f"{path} is not an ONNX file: {error}.") from None
    if outside:
        raise ModelError(
            f"{path} keeps weights in another file (external data), which is refused.",
            fix="Save the model again with its weights inside: onnx.save(model, path).",
        )


def _read_arrays(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, AttributeError) as error:
        raise ModelError(f"{path} is not an .npz archive of plain arrays: {error}.") from None
