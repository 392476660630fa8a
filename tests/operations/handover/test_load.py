"""An instance is handed over and taken back while it is written to, and callers are cut off."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from benchmarks.handover.exact import ExactEngine
from benchmarks.handover.run import Run
from tests.stores import MemoryStore


def test_nothing_is_lost_nothing_returns_and_both_agree(tmp_path: Path) -> None:
    store = MemoryStore()
    run = Run(
        lambda: store,
        tmp_path,
        "milvus:exact",
        cache(ExactEngine),
        pictures=1500,
        kills=3,
        say=lambda _: None,
    )
    outcome = run.carry_out(writers=2, seconds=0.5, queries=20, sample=100)
    faults = outcome.faults
    assert (faults.lost, faults.returned, faults.stale) == (0, 0, 0)
    assert outcome.cuts > 0
    assert outcome.filled_rows >= 1500
    assert outcome.searches > 10
    assert {kind for kind, count in outcome.writes.items() if count} >= {"add", "patch"}
    assert {*outcome.overlaps} == {"filled", "serving", "back", "again"}
    assert all(told["overlap_at_10"] > 0.95 for told in outcome.overlaps.values())
    assert outcome.overlaps["again"]["live"] > 0
