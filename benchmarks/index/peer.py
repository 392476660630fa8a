"""What the peers have in common.

They run in an environment of their own, so nothing of the product may be imported here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUILD_EFFORT", "EFFORT", "LINKS", "Foreign", "Numbers", "Peer", "Vectors"]

Vectors = NDArray[np.float32]
Numbers = NDArray[np.int64]
Foreign = Any
"""An object of an engine, whose types are not known here."""

LINKS = 16
"""Links of a node in the graphs of all engines."""
BUILD_EFFORT = 128
"""Nodes looked at for each node while a graph is built."""
EFFORT = 64
"""Nodes looked at for each query; enough for a recall of 0.98."""


class Peer(ABC):
    """What most engines have in common: files in a folder."""

    name: ClassVar[str]
    settings: ClassVar[str]
    modules: ClassVar[tuple[str, ...]]
    reads_store: ClassVar[bool] = False
    """Whether it can read its data in the object store where they are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index: Foreign = None
        self.in_store = False

    @abstractmethod
    def build(self, vectors: Vectors, tags: NDArray[np.int32]) -> None:
        """Index the vectors and save."""

    @abstractmethod
    def open(self) -> None:
        """Read what was saved."""

    def settle(self) -> None:  # noqa: B027 - most have nothing to wait for
        """Wait for nothing: opening has done all."""

    @abstractmethod
    def search(self, query: Vectors, k: int, below: int | None = None) -> Numbers:
        """Return the nearest."""

    @abstractmethod
    def add(self, number: int, vector: Vectors) -> None:
        """Add one vector and save."""

    def find_fresh(self, query: Vectors) -> int:
        """Open the files again, as a reader must that does not share the writer's memory."""
        reader = type(self)(self.folder)
        reader.open()
        return int(reader.search(query, 1)[0])

    def bytes(self) -> int:
        """Return the size of the files."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())
