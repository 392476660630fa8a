"""Which worker gets which segment."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from imagesearch.index.manifest import SegmentInfo

__all__ = ["deal"]

_SLACK = 1.25
"""Rows that a worker may get by preference, as a multiple of an even share."""


def deal(segments: Sequence[SegmentInfo], workers: int) -> list[list[SegmentInfo]]:
    """Return each worker's segments, the same whatever the order of ``segments``.

    Each segment, the largest first, goes to the worker that it prefers by rendezvous hash (the
    highest digest of worker and segment wins: Thaler and Ravishankar, 1998), unless that one has
    its share already; then to the next one. So a segment seldom moves when others come and go,
    or when the number of workers changes, and no worker has much more than the others.
    """
    shares: list[list[SegmentInfo]] = [[] for _ in range(workers)]
    loads = [0] * workers
    bound = _SLACK * sum(info.rows for info in segments) / workers
    for info in sorted(segments, key=lambda info: (-info.rows, info.id)):
        most = max(bound, min(loads) + info.rows)
        free = [worker for worker in range(workers) if loads[worker] + info.rows <= most]
        chosen = max(free, key=lambda worker: _preference(info.id, worker))
        shares[chosen].append(info)
        loads[chosen] += info.rows
    return shares


def _preference(segment: str, worker: int) -> bytes:
    return hashlib.blake2b(f"{segment} {worker}".encode(), digest_size=8).digest()
