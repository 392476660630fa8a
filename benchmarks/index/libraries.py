"""Libraries for nearest neighbours: an index in memory that is saved to a file as a whole."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.engine import Unsupported
from benchmarks.index.peer import BUILD_EFFORT, EFFORT, LINKS, Foreign, Numbers, Peer, Vectors

__all__ = ["FaissFlat", "FaissGraph", "Hnswlib", "Usearch"]


class Faiss(Peer):
    """Any index of faiss, in one file, with the tags beside it."""

    modules = ("faiss",)
    description: ClassVar[str]

    def build(self, vectors: Vectors, tags: NDArray[np.int32]) -> None:
        """Index the vectors and save."""
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = faiss.index_factory(
            vectors.shape[1], self.description, faiss.METRIC_INNER_PRODUCT
        )
        self.index.train(np.ascontiguousarray(vectors[:20_000]))
        if hasattr(self.index, "hnsw"):
            self.index.hnsw.efConstruction = BUILD_EFFORT
        for start in range(0, len(vectors), 20_000):
            self.index.add(np.ascontiguousarray(vectors[start : start + 20_000]))
        faiss.write_index(self.index, str(self.folder / "index.faiss"))
        np.save(self.folder / "tags.npy", tags)

    def open(self) -> None:
        """Read what was saved."""
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = faiss.read_index(str(self.folder / "index.faiss"))
        if hasattr(self.index, "hnsw"):
            self.index.hnsw.efSearch = EFFORT
        self.tags = np.load(self.folder / "tags.npy")

    def search(self, query: Vectors, k: int, below: int | None = None) -> Numbers:
        """Return the nearest."""
        parameters = None if below is None else self._only(below)
        return np.asarray(self.index.search(query[np.newaxis], k, params=parameters)[1][0])

    def _only(self, below: int) -> Foreign:
        import faiss

        passing = faiss.IDSelectorBatch(np.flatnonzero(self.tags < below))
        if hasattr(self.index, "hnsw"):
            return faiss.SearchParametersHNSW(sel=passing, efSearch=4 * EFFORT)
        return faiss.SearchParameters(sel=passing)

    def add(self, number: int, vector: Vectors) -> None:
        """Add one vector and save."""
        import faiss

        assert number == self.index.ntotal
        self.index.add(vector[np.newaxis])
        faiss.write_index(self.index, str(self.folder / "index.faiss"))


class FaissFlat(Faiss):
    """faiss, all vectors scanned as bytes."""

    name = "faiss flat SQ8"
    settings = "SQ8, scan"
    description = "SQ8"


class FaissGraph(Faiss):
    """faiss, graph over bytes."""

    name = "faiss HNSW SQ8"
    settings = f"HNSW{LINKS}_SQ8, ef {EFFORT}"
    description = f"HNSW{LINKS}_SQ8"


class Hnswlib(Peer):
    """hnswlib, graph over float32."""

    modules = ("hnswlib",)
    name = "hnswlib"
    settings = f"M {LINKS}, ef {EFFORT}, float32"

    def build(self, vectors: Vectors, tags: NDArray[np.int32]) -> None:
        """Index the vectors and save."""
        import hnswlib

        self.index = hnswlib.Index("ip", vectors.shape[1])
        self.index.init_index(len(vectors) + 1000, BUILD_EFFORT, LINKS, random_seed=1)
        self.index.add_items(vectors, num_threads=1)
        self.index.save_index(str(self.folder / "index.hnsw"))
        np.save(self.folder / "tags.npy", tags)

    def open(self) -> None:
        """Read what was saved."""
        import hnswlib

        self.index = hnswlib.Index("ip", 512)
        self.index.load_index(str(self.folder / "index.hnsw"), max_elements=0)
        self.index.set_ef(EFFORT)
        self.index.set_num_threads(1)
        self.tags = np.load(self.folder / "tags.npy")

    def search(self, query: Vectors, k: int, below: int | None = None) -> Numbers:
        """Return the nearest."""
        tags = self.tags
        passes = None if below is None else lambda number: bool(tags[number] < below)
        return np.asarray(self.index.knn_query(query, k, num_threads=1, filter=passes)[0][0])

    def add(self, number: int, vector: Vectors) -> None:
        """Add one vector and save."""
        self.index.add_items(vector[np.newaxis], [number], num_threads=1)
        self.index.save_index(str(self.folder / "index.hnsw"))


class Usearch(Peer):
    """USearch alone, graph over bytes that are scaled as ours are."""

    modules = ("usearch.index",)
    name = "usearch HNSW i8"
    settings = f"connectivity {LINKS}, expansion {EFFORT}, own scaling to bytes"

    def build(self, vectors: Vectors, tags: NDArray[np.int32]) -> None:  # noqa: ARG002
        """Index the vectors and save."""
        self.index = self._new()
        for start in range(0, len(vectors), 20_000):
            part = vectors[start : start + 20_000]
            self.index.add(np.arange(start, start + len(part)), self._scaled(part), threads=1)
        self.index.save(str(self.folder / "index.usearch"))

    def open(self) -> None:
        """Read what was saved."""
        self.index = self._new()
        self.index.view(str(self.folder / "index.usearch"))

    def search(self, query: Vectors, k: int, below: int | None = None) -> Numbers:
        """Return the nearest."""
        if below is not None:
            raise Unsupported("its Python binding has no filter")
        found = self.index.search(self._scaled(query[np.newaxis])[0], k, threads=1)
        return np.asarray(found.keys).astype(np.int64)

    def add(self, number: int, vector: Vectors) -> None:
        """Add one vector and save."""
        writer = self._new()
        writer.load(str(self.folder / "index.usearch"))
        writer.add(number, self._scaled(vector[np.newaxis])[0], threads=1)
        writer.save(str(self.folder / "index.usearch.new"))
        (self.folder / "index.usearch.new").replace(self.folder / "index.usearch")

    @staticmethod
    def _new() -> Foreign:
        from usearch.index import Index

        return Index(
            ndim=512,
            metric="cos",
            dtype="i8",
            connectivity=LINKS,
            expansion_add=BUILD_EFFORT,
            expansion_search=EFFORT,
        )

    @staticmethod
    def _scaled(vectors: Vectors) -> NDArray[np.int8]:
        return np.rint(vectors / np.abs(vectors).max(axis=1, keepdims=True) * 127).astype(np.int8)
