"""Embedded databases with vectors: LanceDB, Chroma and Qdrant's edge form."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.peer import BUILD_EFFORT, EFFORT, LINKS, Foreign, Numbers, Peer, Vectors

TABLE = "pictures"

__all__ = ["Chroma", "LanceFlat", "LanceInverted", "Qdrant"]


class Lance(Peer):
    """LanceDB; its data may be in a folder or in the object store itself."""

    modules = ("lancedb",)
    reads_store = True

    def _database(self) -> Foreign:
        import lancedb

        if not self.in_store:
            return lancedb.connect(str(self.folder))
        options = {
            "endpoint": os.environ["AWS_ENDPOINT_URL_S3"],
            "allow_http": "true",
            "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
            "aws_region": "us-east-1",
        }
        place = f"s3://{os.environ['BENCHMARK_BUCKET']}/{self.folder.name}"
        return lancedb.connect(place, storage_options=options)

    def build(self, vectors: Vectors, tags: NDArray[np.int32]) -> None:
        """Index the vectors and save."""
        database = self._database()
        self.index = None
        for start in range(0, len(vectors), 50_000):
            rows = self._rows(start, vectors[start : start + 50_000], tags[start : start + 50_000])
            if self.index is None:
                self.index = database.create_table(TABLE, rows, mode="overwrite")
            else:
                self.index.add(rows)
        self._index_it(len(vectors))

    def _index_it(self, rows: int) -> None:  # noqa: ARG002
        """Scan; the tag has an index in any case."""
        from lancedb.index import BTree

        self.index.create_index("tag", config=BTree())

    @staticmethod
    def _rows(start: int, vectors: Vectors, tags: NDArray[np.int32]) -> Foreign:
        import pyarrow as pa

        flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
        return pa.table(
            {
                "id": pa.array(np.arange(start, start + len(vectors))),
                "tag": pa.array(tags),
                "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
            }
        )

    def open(self) -> None:
        """Read what was saved."""
        self.index = self._database().open_table(TABLE)

    def search(self, query: Vectors, k: int, below: int | None = None) -> Numbers:
        """Return the nearest."""
        asked = self.index.search(query).distance_type("cosine").select(["id"]).limit(k)
        asked = self._tuned(asked)
        if below is not None:
            asked = asked.where(f"tag < {below}", prefilter=True)
        return np.asarray(asked.to_arrow()["id"].to_numpy())

    @staticmethod
    def _tuned(asked: Foreign) -> Foreign:
        return asked

    def add(self, number: int, vector: Vectors) -> None:
        """Add one vector and save."""
        self.index.add(self._rows(number, vector[np.newaxis], np.zeros(1, np.int32)))

    def find_fresh(self, query: Vectors) -> int:
        """Ask a second connection for what is new."""
        if not hasattr(self, "reader"):
            self.reader = type(self)(self.folder)
            self.reader.open()
        self.reader.index.checkout_latest()
        return int(self.reader.search(query, 1)[0])


class LanceFlat(Lance):
    """LanceDB without an index on the vectors."""

    name = "LanceDB flat"
    settings = "float32, scan"


class LanceInverted(Lance):
    """LanceDB with lists of quantised vectors."""

    name = "LanceDB IVF_SQ"
    settings = "√n lists, 20 probed, 5 k refined"

    def _index_it(self, rows: int) -> None:
        from lancedb.index import IvfSq

        super()._index_it(rows)
        lists = IvfSq(distance_type="cosine", num_partitions=max(1, int(rows**0.5)))
        self.index.create_index("vector", config=lists)

    @staticmethod
    def _tuned(asked: Foreign) -> Foreign:
        return asked.nprobes(20).refine_factor(5)


class Chroma(Peer):
    """Chroma, embedded and persistent."""

    modules = ("chromadb",)
    name = "Chroma"
    settings = f"HNSW {LINKS}, ef {EFFORT}, float32"

    def _collection(self) -> Foreign:
        import chromadb

        settings = chromadb.Settings(anonymized_telemetry=False)
        client = chromadb.PersistentClient(str(self.folder), settings)
        graph = {
            "space": "cosine",
            "max_neighbors": LINKS,
            "ef_construction": BUILD_EFFORT,
            "ef_search": EFFORT,
            "num_threads": 1,
        }
        return client.get_or_create_collection(
            "pictures", configuration={"hnsw": graph}, embedding_function=None
        )

    def build(self, vectors: Vectors, tags: NDArray[np.int32]) -> None:
        """Index the vectors and save."""
        collection = self._collection()
        for start in range(0, len(vectors), 5000):
            part = np.asarray(vectors[start : start + 5000])
            collection.add(
                ids=[str(n) for n in range(start, start + len(part))],
                embeddings=part,
                metadatas=[{"tag": int(tag)} for tag in tags[start : start + 5000]],
            )

    def open(self) -> None:
        """Read what was saved."""
        self.index = self._collection()

    def search(self, query: Vectors, k: int, below: int | None = None) -> Numbers:
        """Return the nearest."""
        where = None if below is None else {"tag": {"$lt": below}}
        found = self.index.query(
            query_embeddings=query[np.newaxis], n_results=k, where=where, include=[]
        )
        return np.array([int(name) for name in found["ids"][0]])

    def add(self, number: int, vector: Vectors) -> None:
        """Add one vector and save."""
        self.index.add(ids=[str(number)], embeddings=vector[np.newaxis], metadatas=[{"tag": 0}])

    def find_fresh(self, query: Vectors) -> int:
        """Ask the writer's own process: another one does not see the write without a server."""
        return int(self.search(query, 1)[0])


class Qdrant(Peer):
    """Qdrant Edge: the server's storage within the process."""

    modules = ("qdrant_edge",)
    name = "Qdrant Edge"
    settings = f"HNSW {LINKS}, ef {EFFORT}, float32"

    def _config(self) -> Foreign:
        import qdrant_edge as qdrant

        return qdrant.EdgeConfig(
            vectors=qdrant.EdgeVectorParams(size=512, distance=qdrant.Distance.Cosine),
            hnsw_config=qdrant.HnswIndexConfig(
                m=LINKS,
                ef_construct=BUILD_EFFORT,
                full_scan_threshold=10_000,
                max_indexing_threads=1,
            ),
            optimizers=qdrant.EdgeOptimizersConfig(
                default_segment_number=1, indexing_threshold=1000, max_segment_size=10_000_000
            ),
            max_search_threads=1,
        )

    def build(self, vectors: Vectors, tags: NDArray[np.int32]) -> None:
        """Index the vectors and save."""
        import qdrant_edge as qdrant

        self.index = qdrant.EdgeShard.create(str(self.folder), self._config())
        self.index.update(
            qdrant.UpdateOperation.create_field_index("tag", qdrant.PayloadSchemaType.Integer)
        )
        for start in range(0, len(vectors), 1000):
            part = vectors[start : start + 1000].tolist()
            self._upsert(start, part, tags[start : start + 1000].tolist())
        self.index.optimize()
        self.index.flush()
        self.index.close()

    def _upsert(self, start: int, vectors: list[list[float]], tags: list[int]) -> None:
        import qdrant_edge as qdrant

        points = [
            qdrant.Point(start + n, vector, {"tag": tag})
            for n, (vector, tag) in enumerate(zip(vectors, tags, strict=True))
        ]
        self.index.update(qdrant.UpdateOperation.upsert_points(points))

    def open(self) -> None:
        """Read what was saved."""
        import qdrant_edge as qdrant

        self.index = qdrant.EdgeShard.load(str(self.folder))

    def search(self, query: Vectors, k: int, below: int | None = None) -> Numbers:
        """Return the nearest."""
        import qdrant_edge as qdrant

        passing = None
        if below is not None:
            condition = qdrant.FieldCondition("tag", range=qdrant.RangeFloat(lt=below))
            passing = qdrant.Filter(must=[condition])
        request = qdrant.SearchRequest(
            qdrant.Query.Nearest(query.tolist()),
            k,
            filter=passing,
            params=qdrant.SearchParams(hnsw_ef=EFFORT),
            with_payload=False,
        )
        return np.array([int(point.id) for point in self.index.search(request)])

    def add(self, number: int, vector: Vectors) -> None:
        """Add one vector and save."""
        self._upsert(number, vector[np.newaxis].tolist(), [0])
        self.index.flush()

    def find_fresh(self, query: Vectors) -> int:
        """Ask the writer's own process: a shard has one owner."""
        return int(self.search(query, 1)[0])
