"""The index under every trouble that the simulation knows, for many seeds.

``IMAGESEARCH_SEEDS`` sets how many (1200), ``IMAGESEARCH_FIRST_SEED`` where they begin (0).
``python -m tests.simulation SEED`` tells the story of one.
"""

from __future__ import annotations

import os
from math import inf

import pytest

from tests.simulation.history import History, worst
from tests.simulation.scenario import Scenario, run

SEEDS = int(os.environ.get("IMAGESEARCH_SEEDS", "1200"))
FIRST = int(os.environ.get("IMAGESEARCH_FIRST_SEED", "0"))
PORTION = 50


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, PORTION))
def test_no_promise_is_broken(first: int) -> None:
    for seed in range(first, min(first + PORTION, FIRST + SEEDS)):
        broken = run(Scenario.of(seed)).check()
        assert not broken, f"seed {seed} (python -m tests.simulation {seed}):\n{worst(broken)}"


def story(history: History) -> list[str]:
    return [str(event) for event in (*history.writes, *history.reads)]


@pytest.mark.parametrize("seed", [3, 14, 15])
def test_a_seed_tells_the_same_story_again(seed: int) -> None:
    assert story(run(Scenario.of(seed))) == story(run(Scenario.of(seed)))


def test_the_scenarios_are_eventful() -> None:
    """Guard against a simulation that passes because nothing happens in it."""
    histories = [run(Scenario.of(seed)) for seed in range(100)]
    writes = [write for history in histories for write in history.writes]
    reads = [read for history in histories for read in history.reads]
    in_doubt = [write for write in writes if write.end == inf]
    assert len(writes) > 500
    assert len(reads) > 1000
    assert 0.05 < len(in_doubt) / len(writes) < 0.5
    seen = {version for read in reads for version in read.seen.values()}
    assert any(version in seen for write in in_doubt for version in write.changes.values())
    assert sum(bool(read.seen) for read in reads) > len(reads) // 3
    assert max(read.generation for read in reads) >= 5
