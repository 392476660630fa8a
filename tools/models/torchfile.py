"""Read the tensors of an old-style PyTorch ``.pth`` file without PyTorch and without running code.

Layout (torch.save before 1.6): the pickles of a magic number, a protocol version, a dictionary
about the
writing machine, the object itself and the list of storage keys; then each storage as its length
(int64) and its raw little-endian values.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NotATensorFile", "read_tensors"]

_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8", "HalfStorage": "<f2", "IntStorage": "<i4"}


class NotATensorFile(ValueError):
    """The file is not an old-style PyTorch file of plain tensors."""


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: str
    length: int


@dataclass(frozen=True, slots=True)
class _View:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_tensors(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the named tensors of a state dictionary.

    Raises ``NotATensorFile`` on anything that is not a flat dictionary of CPU tensors; names of
    classes or functions other than the four a tensor needs are never looked up.
    """
    stream = io.BytesIO(data)
    if _Unpickler(stream).load() != _MAGIC:
        raise NotATensorFile("the magic number of an old-style PyTorch file is missing")
    _Unpickler(stream).load()
    _Unpickler(stream).load()
    views = _Unpickler(stream).load()
    keys = _Unpickler(stream).load()
    if not isinstance(views, dict) or not all(isinstance(v, _View) for v in views.values()):
        raise NotATensorFile("the file holds something else than named tensors")
    values = _read_storages(stream, keys, {v.storage.key: v.storage for v in views.values()})
    return {name: _cut(view, values[view.storage.key]) for name, view in views.items()}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        raise NotATensorFile(f"refused to load {module}.{name}: only tensors are read")

    def persistent_load(self, pid: tuple[object, ...]) -> _Storage:
        kind, dtype, key, _device, length, view = pid
        if kind != "storage" or view is not None:
            raise NotATensorFile(f"unexpected reference {pid!r}")
        return _Storage(str(key), str(dtype), int(str(length)))


def _rebuild(
    storage: _Storage,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    *_: object,
) -> _View:
    return _View(storage, int(offset), tuple(shape), tuple(strides))


def _read_storages(
    stream: io.BytesIO, keys: list[str], known: dict[str, _Storage]
) -> dict[str, NDArray[Any]]:
    values: dict[str, NDArray[Any]] = {}
    for key in keys:
        storage = known[key]
        (length,) = struct.unpack("<q", stream.read(8))
        if length != storage.length:
            raise NotATensorFile(f"storage {key} has {length} values, {storage.length} expected")
        raw = stream.read(length * np.dtype(storage.dtype).itemsize)
        values[key] = np.frombuffer(raw, storage.dtype, length)
    return values


def _cut(view: _View, values: NDArray[Any]) -> NDArray[Any]:
    last = view.offset + sum((n - 1) * s for n, s in zip(view.shape, view.strides, strict=True))
    if (
        0 in view.shape
        or view.offset < 0
        or min(view.strides, default=0) < 0
        or last >= values.size
    ):
        raise NotATensorFile("a tensor reaches outside its storage")
    strides = [s * values.itemsize for s in view.strides]
    window = np.lib.stride_tricks.as_strided(values[view.offset :], view.shape, strides)
    return np.array(window)
