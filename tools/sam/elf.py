"""Cut a shared object down to what the loader maps, without any tool chain.

Wheels carry symbol tables and debug sections that nothing needs at run time. ``strip`` removes
them, but only for processors it was built for, and with other bytes in every version of it. The
dynamic loader reads program headers alone (System V ABI, chapter 5), so keeping the bytes of the
loaded segments and moving these together is enough; the section headers go too.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Self

__all__ = ["is_shared_object", "loaded_only"]

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM = struct.Struct("<IIQQQQQQ")
_LOAD, _NULL, _SHARED = 1, 0, 3
_LITTLE_64 = b"\x7fELF\x02\x01"


@dataclass(slots=True)
class _Segment:
    """A program header; ``moved`` is where its bytes go."""

    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    memory: int
    align: int
    moved: int = 0

    @classmethod
    def read(cls, data: bytes, at: int) -> Self:
        return cls(*_PROGRAM.unpack_from(data, at))

    def holds(self, offset: int, size: int) -> bool:
        return self.offset <= offset and offset + size <= self.offset + self.size

    def packed(self) -> bytes:
        return _PROGRAM.pack(
            self.kind,
            self.flags,
            self.moved,
            self.address,
            self.physical,
            self.size,
            self.memory,
            self.align,
        )


def is_shared_object(data: bytes) -> bool:
    """Tell whether ``data`` is a 64-bit little-endian ELF shared object."""
    return data.startswith(_LITTLE_64) and _HEADER.unpack_from(data)[1] == _SHARED


def loaded_only(data: bytes) -> bytes:
    """Return the shared object with nothing but its loaded segments.

    Every segment keeps its address and, as the loader demands, its offset modulo its alignment.
    """
    fields = list(_HEADER.unpack_from(data))
    table, count = fields[5], fields[10]
    segments = [_Segment.read(data, table + n * _PROGRAM.size) for n in range(count)]
    loads = sorted((s for s in segments if s.kind == _LOAD), key=lambda s: s.offset)
    out = bytearray(_place(loads, data))
    for segment in segments:
        _follow(segment, loads)
    fields[5] = _moved(table, count * _PROGRAM.size, loads)
    fields[6], fields[12], fields[13] = 0, 0, 0
    out[: _HEADER.size] = _HEADER.pack(*fields)
    for n, segment in enumerate(segments):
        _PROGRAM.pack_into(out, fields[5] + n * _PROGRAM.size, *_PROGRAM.unpack(segment.packed()))
    return bytes(out)


def _place(loads: list[_Segment], data: bytes) -> bytes:
    """Copy the loaded segments one after another and note where each went."""
    if not loads or loads[0].offset != 0:
        raise ValueError("the first loaded segment does not hold the ELF header")
    out = bytearray()
    for segment in loads:
        segment.moved = len(out) + (segment.address - len(out)) % max(segment.align, 1)
        if segment.offset == 0:
            segment.moved = 0
        out.extend(bytes(segment.moved - len(out)))
        out.extend(data[segment.offset : segment.offset + segment.size])
    return bytes(out)


def _follow(segment: _Segment, loads: list[_Segment]) -> None:
    """Move a header that describes a part of a loaded segment; switch off one that does not."""
    if segment.kind == _LOAD:
        return
    try:
        segment.moved = _moved(segment.offset, segment.size, loads)
    except ValueError:
        if segment.size:
            segment.kind = _NULL


def _moved(offset: int, size: int, loads: list[_Segment]) -> int:
    for load in loads:
        if load.holds(offset, size):
            return load.moved + offset - load.offset
    raise ValueError(f"{size} bytes at {offset} are in no loaded segment")
