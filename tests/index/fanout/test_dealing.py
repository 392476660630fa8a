"""Segments are dealt evenly, and seldom anew."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from imagesearch.index.fanout.dealing import deal
from imagesearch.index.manifest import SegmentInfo

sizes = st.lists(st.integers(1, 500_000), min_size=1, max_size=30)


def segments(rows: Sequence[int]) -> list[SegmentInfo]:
    return [SegmentInfo(f"{n:012d}-{size:x}", size, 1, {}, {}) for n, size in enumerate(rows)]


def owners(shares: Sequence[Sequence[SegmentInfo]]) -> dict[str, int]:
    return {info.id: worker for worker, share in enumerate(shares) for info in share}


@given(sizes, st.integers(1, 8), st.randoms(use_true_random=False))
def test_everything_is_dealt_once_whatever_the_order(
    rows: list[int], workers: int, dice: Random
) -> None:
    given = segments(rows)
    shares = deal(given, workers)
    assert sorted(info.id for share in shares for info in share) == [info.id for info in given]
    shuffled = dice.sample(given, len(given))
    assert owners(deal(shuffled, workers)) == owners(shares)


@given(sizes, st.integers(1, 8))
def test_nobody_has_much_more_than_a_share(rows: list[int], workers: int) -> None:
    even = sum(rows) / workers
    for share in deal(segments(rows), workers):
        assert sum(info.rows for info in share) <= max(1.25 * even, even + max(rows))


def test_as_many_large_segments_as_workers_are_one_each() -> None:
    for workers in (2, 4, 8):
        assert all(len(share) == 1 for share in deal(segments([500_000] * workers), workers))


def test_a_new_segment_moves_few_others() -> None:
    before = owners(deal(segments([50_000] * 40), 4))
    after = owners(deal(segments([50_000] * 41), 4))
    assert sum(before[name] != after[name] for name in before) <= 4


def test_another_worker_takes_about_its_share() -> None:
    before = owners(deal(segments([50_000] * 60), 4))
    after = owners(deal(segments([50_000] * 60), 5))
    assert sum(before[name] != after[name] for name in before) <= 30
