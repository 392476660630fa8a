"""The engines that ours is measured against."""

from __future__ import annotations

from benchmarks.index.databases import Chroma, LanceFlat, LanceInverted, Qdrant
from benchmarks.index.libraries import FaissFlat, FaissGraph, Hnswlib, Usearch
from benchmarks.index.peer import Peer

__all__ = ["PEERS"]

PEERS: tuple[type[Peer], ...] = (
    FaissFlat,
    FaissGraph,
    Hnswlib,
    Usearch,
    LanceFlat,
    LanceInverted,
    Chroma,
    Qdrant,
)
