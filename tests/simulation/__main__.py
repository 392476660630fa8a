"""Tell the story of one seed: ``python -m tests.simulation SEED [MUTANT]``."""

from __future__ import annotations

import sys
from contextlib import nullcontext

from tests.simulation.mutants import MUTANTS
from tests.simulation.scenario import Scenario, run


def main(arguments: list[str]) -> int:
    """Print the scenario, every write and read in order, and what was broken."""
    if not arguments or not arguments[0].isdigit() or not set(arguments[1:]) <= set(MUTANTS):
        print(f"usage: python -m tests.simulation SEED [{' | '.join(MUTANTS)}]", file=sys.stderr)
        return 2
    scenario = Scenario.of(int(arguments[0]))
    print(scenario)
    with MUTANTS[arguments[1]].applied() if arguments[1:] else nullcontext():
        history = run(scenario)
    for event in sorted((*history.writes, *history.reads), key=lambda event: event.begin):
        print(event)
    broken = history.check()
    print(*broken or ["nothing was broken"], sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
