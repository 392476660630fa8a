"""A held row as bytes: what an engine gives back of it, unchanged.

::

    <version, 1 byte> <CRC-32 of the rest, 4 bytes, big-endian>
    <MessagePack: [segment, row, clock, operation, look (512 bytes), picture]>

Engines keep it as text, in Base64, since JSON and Milvus's strings carry no bytes.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from zlib import crc32

import msgspec
import numpy as np

from imagesearch.errors import CorruptObject
from imagesearch.index.engine import HeldRow
from imagesearch.index.features import DIMENSIONS
from imagesearch.index.log import Version
from imagesearch.index.records import Record

__all__ = ["decode", "encode"]

_VERSION = b"\x01"
_HEAD = 5


class _Row(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    segment: str
    row: int
    clock: int
    operation: int
    look: bytes
    picture: Record


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Row)


def encode(row: HeldRow) -> str:
    """Return a row as text of ASCII, about 900 characters and what its attributes take."""
    body = _encoder.encode(
        _Row(
            row.segment,
            row.row,
            *row.version,
            row.look.astype(np.int8, copy=False).tobytes(),
            Record.of(row.picture),
        )
    )
    return b64encode(_VERSION + crc32(body).to_bytes(4) + body).decode("ascii")


def decode(id: str, text: object) -> HeldRow:
    """Read the row that an engine keeps as ``id``.

    Raises :class:`~imagesearch.errors.CorruptObject` unless the text is whole and that row's.
    """
    try:
        data = b64decode(text.encode("ascii"), validate=True) if isinstance(text, str) else b""
        row = _read(data)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise CorruptObject(f"the engine's row {id[:80]!r} cannot be read: {error}.") from None
    if row.id != id:
        raise CorruptObject(f"the engine's row {id[:80]!r} holds the row {row.id[:80]!r}.")
    return row


def _read(data: bytes) -> HeldRow:
    if data[:1] != _VERSION:
        raise ValueError(f"it is of version {data[:1].hex() or 'none'}, not {_VERSION.hex()}")
    if int.from_bytes(data[1:_HEAD]) != crc32(data[_HEAD:]):
        raise ValueError("its checksum does not match")
    body = _decoder.decode(data[_HEAD:])
    if len(body.look) != DIMENSIONS:
        raise ValueError(f"its look is of {len(body.look)} bytes, not {DIMENSIONS}")
    return HeldRow(
        body.segment,
        body.row,
        Version(body.clock, body.operation),
        body.picture.picture(),
        np.frombuffer(body.look, np.int8),
    )
