"""Tell the story of one seed: ``python -m tests.simulation SEED [TERRAIN | MUTANT]``."""

from __future__ import annotations

import sys
from contextlib import nullcontext

from tests.simulation.mutants import MUTANTS, TERRAINS
from tests.simulation.run import run


def main(seed: str = "", name: str = "mixed") -> int:
    """Write the scenario, every write and read in order, and what was broken."""
    if not seed.isdigit() or name not in {**TERRAINS, **MUTANTS}:
        names = " | ".join((*TERRAINS, *MUTANTS))
        sys.stderr.write(f"usage: python -m tests.simulation SEED [{names}]\n")
        return 2
    mutant = MUTANTS.get(name)
    scenario = mutant.scenario(int(seed)) if mutant else TERRAINS[name](int(seed))
    with mutant.applied() if mutant else nullcontext():
        history = run(scenario)
    broken = history.check()
    events = sorted((*history.writes, *history.reads), key=lambda event: event.begin)
    lines = [scenario, *events, *(broken or ["nothing was broken"])]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
