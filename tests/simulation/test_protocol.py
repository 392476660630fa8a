"""The index under every trouble that the simulation knows, for many seeds.

``IMAGESEARCH_SEEDS`` sets how many (800), ``IMAGESEARCH_FIRST_SEED`` where they begin (0).
``python -m tests.simulation SEED [TERRAIN]`` tells the story of one.
"""

from __future__ import annotations

import os
from math import inf

import pytest

from tests.simulation.history import History, worst
from tests.simulation.mutants import TERRAINS
from tests.simulation.run import run
from tests.simulation.scenario import Scenario

SEEDS = int(os.environ.get("IMAGESEARCH_SEEDS", "800"))
FIRST = int(os.environ.get("IMAGESEARCH_FIRST_SEED", "0"))
PORTION = 50
SHARE = {"mixed": 0.6}
"""How many of the seeds are run in each terrain, if not a twentieth; the others take longer."""


@pytest.mark.parametrize("terrain", TERRAINS)
@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, PORTION))
def test_no_promise_is_broken(terrain: str, first: int) -> None:
    portion = min(PORTION, FIRST + SEEDS - first)
    for seed in range(first, first + max(1, round(SHARE.get(terrain, 0.05) * portion))):
        broken = run(TERRAINS[terrain](seed)).check()
        told = f"python -m tests.simulation {seed} {terrain}"
        assert not broken, f"seed {seed} in {terrain} ({told}):\n{worst(broken)}"


def story(history: History) -> list[str]:
    return [str(event) for event in (*history.writes, *history.reads)]


@pytest.mark.parametrize("seed", [3, 14, 15])
def test_a_seed_tells_the_same_story_again(seed: int) -> None:
    assert story(run(Scenario.of(seed))) == story(run(Scenario.of(seed)))


def test_the_scenarios_are_eventful() -> None:
    """Guard against a simulation that passes because nothing happens in it."""
    histories = [run(Scenario.of(seed)) for seed in range(60)]
    writes = [write for history in histories for write in history.writes]
    reads = [read for history in histories for read in history.reads]
    in_doubt = [write for write in writes if write.end == inf]
    assert len(writes) > 300
    assert len(reads) > 600
    assert 0.02 < len(in_doubt) / len(writes) < 0.5
    seen = {version for read in reads for version in read.seen.values()}
    assert any(version in seen for write in in_doubt for version in write.changes.values())
    assert sum(bool(read.seen) for read in reads) > len(reads) // 3
    assert max(read.generation for read in reads) >= 10
