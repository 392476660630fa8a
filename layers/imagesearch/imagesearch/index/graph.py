"""A USearch graph over the rows of a large segment.

The graph's file begins with the number of rows and 512 (two unsigned 32-bit numbers), then has
the rows as they are, so it takes the place of the ``i8`` file. USearch does not check what it
opens, and a damaged graph can end the process: the file must have been checked before.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import CorruptObject
from imagesearch.index.features import DIMENSIONS

if TYPE_CHECKING:
    from usearch.index import Index as Usearch

__all__ = ["HEADER", "NEAREST", "Graph", "build_graph"]

HEADER = 8
"""Bytes of the file before the rows."""
NEAREST = 256
"""Rows that one walk through the graph finds."""
_CONNECTIVITY = 16
_EFFORT = 128


def build_graph(rows: NDArray[np.int8]) -> bytes:
    """Return the file for rows (n, 512).

    One thread and ascending keys, so that the same rows give the same bytes. Vectors go in as
    int8: USearch's own quantisation would use a seventh of the levels.
    """
    graph = _new()
    graph.add(np.arange(len(rows), dtype=np.uint64), rows, threads=1)
    return bytes(graph.save() or b"")


class Graph:
    """An opened graph."""

    def __init__(self, key: str, file: memoryview, rows: int) -> None:
        """Open a file that was checked; :class:`CorruptObject` if it is not of ``rows`` rows."""
        if np.frombuffer(file[:HEADER], "<u4").tolist() != [rows, DIMENSIONS]:
            raise CorruptObject(f"{key} is not a graph of {rows} rows.")
        self._file = file  # the graph lives in these bytes
        self._graph = _new()
        self._graph.view(file)

    def nearest(self, row: NDArray[np.int8]) -> NDArray[np.int64]:
        """Return the rows most like ``row`` (512,), about :data:`NEAREST` of them, ascending."""
        found = self._graph.search(row, NEAREST, threads=1)
        return np.sort(found.keys.astype(np.int64))


def _new() -> Usearch:
    _share_the_c_runtime()
    from usearch.index import Index as Usearch

    return Usearch(
        ndim=DIMENSIONS,
        metric="cos",
        dtype="i8",
        connectivity=_CONNECTIVITY,
        expansion_add=_EFFORT,
        expansion_search=NEAREST,
    )


@cache
def _share_the_c_runtime() -> None:
    """Let USearch and ONNX Runtime use one C++ library, whichever is imported first.

    USearch's wheel brings its own copy, whose locale tables a library that is loaded later then
    takes for the system's: importing ONNX Runtime after USearch ends the process.
    """
    with suppress(OSError):  # elsewhere than on Linux there is no such file, and no such trouble
        ctypes.CDLL("libstdc++.so.6", mode=ctypes.RTLD_GLOBAL)
