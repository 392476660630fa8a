"""Tell, without loading it, whether an ONNX file reaches for other files.

Only the protobuf wire format is walked (https://protobuf.dev/programming-guides/encoding/), down
the fields of onnx.proto in which a tensor can sit; tensors' bytes are skipped, not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["has_external_data"]

_Buffer = bytes | memoryview

# message -> {field number: message of that field}; onnx.proto of ONNX 1.22
_NESTED: Final = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}  # fmt: skip
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def _varint(data: _Buffer, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _fields(data: _Buffer, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, start and end of each field; a varint's value stands in for its start."""
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value, -1
            continue
        if wire == 2:
            length, at = _varint(data, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > end:
            raise ValueError("a field that is longer than the file")
        yield number, at, at + length
        at += length


def _reaches_out(data: _Buffer, message: str, at: int, end: int) -> bool:
    nested = _NESTED[message]
    for number, start, stop in _fields(data, at, end):
        if message == "tensor":
            if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and start == 1):
                return True
        elif stop > 0 and number in nested and _reaches_out(data, nested[number], start, stop):
            return True
    return False


def has_external_data(data: _Buffer) -> bool:
    """Tell whether any tensor of an ONNX model keeps its values in another file.

    Raises :class:`ValueError` if the bytes are not a protobuf message.
    """
    try:
        return _reaches_out(data, "model", 0, len(data))
    except (IndexError, RecursionError) as error:
        raise ValueError(f"not a protobuf message: {error}") from None
