"""The test of the test: every wrong version of the protocol is caught.

Where nothing is, the simulation could not tell either whether the right version is right.
"""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.run import run

ENOUGH = 400
"""Seeds after which a mutant counts as not caught."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_protocol_is_caught(name: str) -> None:
    mutant = MUTANTS[name]
    with mutant.applied():
        caught = any(run(mutant.scenario(seed)).check() for seed in range(ENOUGH))
    assert caught, f"{ENOUGH} seeds do not show that {mutant.what}"
