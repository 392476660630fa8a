"""What an engine must do to be measured."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Engine", "Unsupported"]


class Unsupported(Exception):
    """The engine has no such thing; the table then says so."""


class Engine(Protocol):
    """One engine with the settings it is measured with. Every method runs on one thread.

    An engine is built in one process and opened in another; all that passes between them is in
    ``folder``, or in the object store if the engine keeps its data there by itself.
    """

    name: ClassVar[str]
    settings: ClassVar[str]
    """What the table says about parameters."""
    modules: ClassVar[tuple[str, ...]]
    """What must be imported before the first search, and is not when the engine is."""

    def __init__(self, folder: Path) -> None: ...

    def build(self, vectors: NDArray[np.float32], tags: NDArray[np.int32]) -> None:
        """Index the vectors, numbered from 0, durably."""
        ...

    def open(self) -> None:
        """Make what was built ready for the first search."""
        ...

    def settle(self) -> None:
        """Wait until everything is at hand that makes later searches faster than the first."""
        ...

    def search(
        self, query: NDArray[np.float32], k: int, below: int | None = None
    ) -> NDArray[np.int64]:
        """Return the numbers of the ``k`` nearest, of those whose tag is less than ``below``."""
        ...

    def add(self, number: int, vector: NDArray[np.float32]) -> None:
        """Add one vector, with tag 0; durable when it returns."""
        ...

    def find_fresh(self, query: NDArray[np.float32]) -> int:
        """Return the number of the nearest, as a reader sees it that had been open before."""
        ...

    def bytes(self) -> int:
        """Return how much is stored."""
        ...
