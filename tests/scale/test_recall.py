"""How many of the nearest codes must be compared by their bytes, on looks that lie as real ones."""

from __future__ import annotations

import numpy as np
import pytest
from imagesearch.index import Policy, encode
from imagesearch.index.features import bits_of, levels, squares_of
from imagesearch.index.scan import codes_of, dot_products, hamming

from benchmarks.scale.building import TOP
from benchmarks.scale.world import World

ROWS, QUERIES = 60_000, 60


@pytest.fixture(scope="module")
def recalls() -> dict[int, float]:
    """The mean share of the ten nearest rows that are among so many of the nearest codes."""
    world = World(ROWS)
    chunks = (world.chunk(number).vectors for number in range(world.chunks))
    rows = np.concatenate([np.stack([*map(levels, chunk)]) for chunk in chunks])
    codes, lengths = codes_of(bits_of(rows)), np.sqrt(squares_of(rows))
    found: dict[int, list[float]] = {}
    for query in map(encode, world.queries(QUERIES)):
        nearest = np.argsort(-dot_products(query.row, rows) / lengths)[:TOP]
        distances = hamming(query.bits, codes)
        for share in (128, 1000):
            count = Policy(candidates=1, candidates_one_in=share).candidates_among(ROWS)
            farthest = np.partition(distances, count - 1)[count - 1]
            found.setdefault(share, []).append(float(np.mean(distances[nearest] <= farthest)))
    return {share: float(np.mean(each)) for share, each in found.items()}


def test_the_share_that_is_compared_has_the_nearest(recalls: dict[int, float]) -> None:
    assert Policy().candidates_one_in == 128
    assert recalls[128] > 0.985


def test_a_smaller_share_would_overlook_many(recalls: dict[int, float]) -> None:
    assert recalls[1000] < 0.97
