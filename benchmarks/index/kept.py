"""The product's index searched as the peers are: without looking for what others wrote."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from imagesearch.catalogue.filter import Filter
from imagesearch.index import Query, encode
from numpy.typing import NDArray

from benchmarks.index.ours import Ours

__all__ = ["Kept"]


class Kept(Ours):
    """All queries go to one snapshot, so that none costs a request."""

    name: ClassVar[str] = "ours, snapshot kept"

    def open(self) -> None:
        """Take the snapshot."""
        self._snapshot = self._index.snapshot()

    def search(
        self, query: NDArray[np.float32], k: int, below: int | None = None
    ) -> NDArray[np.int64]:
        """Search the snapshot."""
        chosen = None if below is None else Filter.parse(f"int_attr < {below}")
        answer = self._snapshot.search(Query(features=encode(query), num=k, filter=chosen))
        return np.array([int(hit.picture.key.pic_name) for hit in answer.hits])
