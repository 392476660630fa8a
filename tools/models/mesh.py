"""Read the textured OBJ models of a furniture library."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Material", "Mesh", "read_mesh"]

_WHITE = np.ones(3, np.float32)


@dataclass(frozen=True, slots=True)
class Material:
    """What a surface looks like: colour 0…1, gloss 0…1, opacity 0…1 and perhaps a texture."""

    colour: NDArray[np.float32] = field(default_factory=lambda: 0.7 * _WHITE)
    gloss: float = 0.2
    opacity: float = 1.0
    texture: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles: corners and normals [n, 3, 3], texture places [n, 3, 2], material index [n]."""

    corners: NDArray[np.float32]
    normals: NDArray[np.float32]
    texture: NDArray[np.float32]
    material: NDArray[np.int32]
    materials: list[Material]


def read_mesh(archive: zipfile.ZipFile, path: str) -> Mesh:
    """Read one OBJ file of the archive with its materials and textures."""
    reader = _Reader()
    library = None
    for word, rest in _lines(archive.read(path)):
        if word == "mtllib":
            library = str(PurePosixPath(path).parent / rest)
        else:
            reader.take(word, rest)
    known = _materials(archive, library) if library in archive.namelist() else {}
    return reader.mesh(known)


def _lines(data: bytes) -> Iterator[tuple[str, str]]:
    for line in data.decode("latin-1").splitlines():
        word, _, rest = line.strip().partition(" ")
        yield word, rest.strip()


class _Reader:
    def __init__(self) -> None:
        self._v: list[list[float]] = []
        self._vt: list[list[float]] = []
        self._vn: list[list[float]] = []
        self._faces: list[list[tuple[int, int, int]]] = []
        self._names: list[str] = []
        self._current: list[int] = []
        self._material = ""

    def take(self, word: str, rest: str) -> None:
        if word in ("v", "vt", "vn"):
            into = {"v": self._v, "vt": self._vt, "vn": self._vn}[word]
            width = 2 if word == "vt" else 3
            into.append([float(x) for x in rest.split()[:width]])
        elif word == "usemtl":
            self._material = rest
        elif word == "f":
            self._fan([self._corner(part) for part in rest.split()])

    def _corner(self, part: str) -> tuple[int, int, int]:
        pieces = [int(x) if x else 0 for x in part.split("/")] + [0, 0]
        sizes = (len(self._v), len(self._vt), len(self._vn))
        v, vt, vn = (
            p - 1 if p > 0 else (p + n if p < 0 else -1)
            for p, n in zip(pieces, sizes, strict=False)
        )
        return v, vt, vn

    def _fan(self, corners: list[tuple[int, int, int]]) -> None:
        if self._material not in self._names:
            self._names.append(self._material)
        index = self._names.index(self._material)
        for second, third in itertools.pairwise(corners[1:]):
            self._faces.append([corners[0], second, third])
            self._current.append(index)

    def mesh(self, known: dict[str, Material]) -> Mesh:
        faces = np.array(self._faces, np.int64).reshape(-1, 3, 3)
        corners = np.array(self._v, np.float32)[faces[..., 0]]
        texture = np.array([*self._vt, [0, 0]], np.float32)[faces[..., 1]]
        normals = np.array([*self._vn, [0, 0, 0]], np.float32)[faces[..., 2]]
        flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, None]
        missing = np.abs(normals).sum(axis=2, keepdims=True) < 1e-6
        normals = np.where(missing, flat, normals)
        materials = [known.get(name, Material()) for name in self._names]
        return Mesh(corners, normals, texture, np.array(self._current, np.int32), materials)


def _materials(archive: zipfile.ZipFile, path: str) -> dict[str, Material]:
    found: dict[str, Material] = {}
    name = ""
    fields: dict[str, str] = {}
    for word, rest in [*_lines(archive.read(path)), ("newmtl", "")]:
        if word == "newmtl":
            if name:
                found[name] = _material(archive, PurePosixPath(path).parent, fields)
            name, fields = rest, {}
        else:
            fields[word] = rest
    return found


def _material(archive: zipfile.ZipFile, folder: PurePosixPath, fields: dict[str, str]) -> Material:
    colour = np.array([float(x) for x in fields.get("Kd", "0.7 0.7 0.7").split()[:3]], np.float32)
    gloss = [float(x) for x in fields.get("Ks", "0 0 0").split()[:3]]
    texture = None
    name = str(folder / fields["map_Kd"].split()[-1]) if "map_Kd" in fields else ""
    if name in archive.namelist():
        with Image.open(io.BytesIO(archive.read(name))) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((512, 512))
        texture = np.asarray(picture, np.float32) / 255
        colour = _WHITE
    opacity = float(fields.get("d", "1").split()[-1])
    return Material(colour, float(np.clip(np.mean(gloss), 0, 1)), opacity, texture)
