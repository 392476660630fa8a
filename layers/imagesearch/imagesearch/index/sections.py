"""A file of named columns that are used where they lie, without being unpacked.

::

    bytes 0-15   "imagesearch-cols"
    bytes 16-19  format version, unsigned 32-bit, little-endian (as every number in the file)
    bytes 20-23  length of the directory in bytes
    bytes 24-    the directory: JSON, {"about": {...}, "columns": {name: [offset, type, count]}}
    then         the columns, each at its offset from the file's start, a multiple of 64

``type`` is ``u1 u2 u4 u8`` (unsigned) or ``i1 i2 i4 i8`` (two's complement) of that many bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, SupportsIndex, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import CorruptObject
from imagesearch.index.sealed import VERSION

__all__ = ["Sections", "Texts", "pack", "text_columns"]

_MAGIC = b"imagesearch-cols"
_ALIGNMENT = 64
_HEAD = struct.Struct("<16sII")
Column = NDArray[np.integer[Any]]


_Kind = Literal["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
_Natural = Annotated[int, msgspec.Meta(ge=0)]


class _Directory(msgspec.Struct, frozen=True):
    about: msgspec.Raw
    columns: dict[str, tuple[_Natural, _Kind, _Natural]]


# Made at import: msgspec crashes when several threads use a struct for the first time at once.
_directory = msgspec.json.Decoder(_Directory)


def pack(about: msgspec.Struct, columns: Mapping[str, Column]) -> bytes:
    """Return the file that holds these columns."""
    directory = b""
    # Offsets depend on the directory's length and it on theirs: it settles in two or three turns.
    for _ in range(8):
        places, size = _places(columns, _HEAD.size + len(directory))
        again = msgspec.json.encode({"about": about, "columns": places})
        if len(again) == len(directory):
            break
        directory = again
    file = bytearray(size)
    _HEAD.pack_into(file, 0, _MAGIC, VERSION, len(directory))
    file[_HEAD.size : _HEAD.size + len(directory)] = again
    for name, column in columns.items():
        data = np.ascontiguousarray(column, column.dtype.newbyteorder("<")).tobytes()
        file[places[name][0] : places[name][0] + len(data)] = data
    return bytes(file)


def _places(
    columns: Mapping[str, Column], start: int
) -> tuple[dict[str, tuple[int, str, int]], int]:
    places = {}
    for name, column in columns.items():
        start = -(-start // _ALIGNMENT) * _ALIGNMENT
        places[name] = (start, column.dtype.str[1:], column.size)
        start += column.nbytes
    return places, start


class Sections:
    """The columns of a file that is in memory or mapped into it."""

    def __init__(self, key: str, file: memoryview) -> None:
        """Read the directory; :class:`CorruptObject` if it is not such a file."""
        self._file = file
        try:
            magic, version, length = _HEAD.unpack_from(file)
            if magic != _MAGIC or version != VERSION:
                raise CorruptObject(f"{key} is not a table of format version {VERSION}.")
            directory = file[_HEAD.size : _HEAD.size + length]
            self._directory = _directory.decode(directory)
            self._columns = {
                name: np.frombuffer(file, f"<{kind}", count, offset)
                for name, (offset, kind, count) in self._directory.columns.items()
            }
        except (struct.error, msgspec.MsgspecError, ValueError, TypeError) as error:
            raise CorruptObject(f"{key} is not a table: {error}.") from None

    @property
    def about(self) -> bytes:
        """Return what the directory says of the whole file, as JSON."""
        return bytes(self._directory.about)

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> Column:
        """Return a column by name; :class:`KeyError` if there is none."""
        return self._columns[name]


class Texts(Sequence[str]):
    """Texts that lie one behind the other in UTF-8; made into strings one by one."""

    __slots__ = ("_offsets", "_text")

    def __init__(self, offsets: Column, text: Column) -> None:
        """Take ``offsets`` (n+1,) into the bytes ``text``."""
        self._offsets = offsets
        self._text = memoryview(text)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, place: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        place = place.__index__()
        if not 0 <= place < len(self):
            raise IndexError(place)
        return str(self._text[int(self._offsets[place]) : int(self._offsets[place + 1])], "utf-8")

    def __iter__(self) -> Iterator[str]:
        text = bytes(self._text)
        for start, end in pairwise(self._offsets.tolist()):
            yield text[start:end].decode()


def text_columns(name: str, texts: Sequence[str]) -> dict[str, Column]:
    """Return the two columns ``name.offsets`` and ``name.text`` of these texts."""
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(encoded) + 1, np.uint64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    small = offsets.astype(np.uint32) if offsets[-1] < 2**32 else offsets
    return {
        f"{name}.offsets": small,
        f"{name}.text": np.frombuffer(b"".join(encoded), np.uint8),
    }
