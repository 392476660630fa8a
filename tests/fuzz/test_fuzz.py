"""Every harness on its seeds, on all that ever failed, and on a few hundred mutations."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.fuzz.engines import fuzz_by_mutation
from tests.fuzz.harness import FOUND, Harness, kept
from tests.fuzz.learnt import learnt
from tests.fuzz.registry import HARNESSES

_FEW = {"index": 40, "picture": 120}
KEPT = [(harness, path) for harness in HARNESSES.values() for path in kept(harness)]


@pytest.mark.parametrize("harness", HARNESSES.values(), ids=list(HARNESSES))
def test_seeds_and_mutations_are_read_or_refused(harness: Harness) -> None:
    for seed in [*harness.seeds(), *learnt(harness.name)]:
        harness.run(seed)
    few = _FEW.get(harness.name, 300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert fuzz_by_mutation(harness, 60, most=few) == few


@pytest.mark.parametrize(
    ("harness", "path"), KEPT, ids=[f"{h.name}-{p.name[:14]}" for h, p in KEPT]
)
def test_what_once_failed_is_read_or_refused(harness: Harness, path: Path) -> None:
    harness.run(path.read_bytes())


def test_what_was_found_belongs_to_a_harness() -> None:
    assert {path.name for path in FOUND.iterdir() if path.is_dir()} <= set(HARNESSES)
    assert all(len(path.read_bytes()) <= 20_000 for _, path in KEPT)
