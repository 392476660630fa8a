"""Cut a stream of bytes into lines, packed or not, in memory that does not grow with it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from imagesearch.errors import DamagedMeta

__all__ = ["MAX_LINE", "numbered_lines", "unpacked"]

MAX_LINE = 65_536
"""Longest line in bytes, its end not counted."""

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 18


def unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of a stream; one that begins as gzip does is unpacked.

    Several gzip members after each other are one stream (RFC 1952 section 2.2). Raises
    :class:`DamagedMeta` when it is broken or ends early.
    """
    blocks = iter(blocks)
    start = b""
    for block in blocks:
        start += block
        if len(start) >= len(_GZIP):
            break
    if not start.startswith(_GZIP):
        yield start
        yield from blocks
        return
    try:
        yield from _inflated(start, blocks)
    except zlib.error as error:
        raise _damaged(str(error)) from None


def _inflated(start: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(wbits=31)
    rest = start
    while True:
        out = member.decompress(rest, _BLOCK)
        if out:
            yield out
        rest = member.unconsumed_tail
        if member.eof:
            rest = member.unused_data.lstrip(b"\0")  # the padding some tools put there
            while not rest:
                block = next(blocks, b"")
                if not block:
                    return
                rest = block.lstrip(b"\0")
            member = zlib.decompressobj(wbits=31)
        elif not rest:
            rest = next(blocks, b"")
            if not rest and not out:
                raise _damaged("it ends too early")


def _damaged(reason: str) -> DamagedMeta:
    return DamagedMeta(
        f"increment.meta is packed with gzip and does not unpack: {reason}.",
        f"increment.meta 是 gzip 压缩文件，但无法解压：{reason}。",
    )


def numbered_lines(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number from 1; ``None`` stands for one longer than allowed.

    Line ends may be LF or CR LF; a byte order mark is dropped; blank lines are counted, not
    yielded.
    """
    number, rest, skipping = 0, b"", False
    first = True
    for block in blocks:
        data = rest + block
        if first and len(data) < len(_BOM):
            rest = data
            continue
        if first:
            data, first = data.removeprefix(_BOM), False
        *whole, rest = data.split(b"\n")
        for line in whole:
            number += 1
            if not skipping:
                yield from _line(number, line)
            skipping = False
        if len(rest) > MAX_LINE + 1:
            if not skipping:
                yield number + 1, None
            rest, skipping = b"", True
    if rest and not skipping:
        yield from _line(number + 1, rest.removeprefix(_BOM) if first else rest)


def _line(number: int, line: bytes) -> Iterator[tuple[int, bytes | None]]:
    line = line.removesuffix(b"\r")
    if len(line) > MAX_LINE:
        yield number, None
    elif line.strip():
        yield number, line
