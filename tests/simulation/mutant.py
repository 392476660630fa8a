"""A wrong version of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from tests.simulation.scenario import Scenario

INDEX = "imagesearch.index"


@dataclass(frozen=True)
class Mutant:
    """A change for the worse: ``patches`` replaces parts, ``policy`` settings.

    ``terrain`` makes the circumstances likely in which the change matters; the right protocol
    must be clean there.
    """

    what: str
    patches: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    terrain: Callable[[int], Scenario] = Scenario.of

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Replace the parts."""
        with ExitStack() as stack:
            for target, replacement in self.patches.items():
                stack.enter_context(patch(target, replacement))
            yield

    def scenario(self, seed: int) -> Scenario:
        """Return the seed's scenario with the mutant's settings."""
        scenario = self.terrain(seed)
        return replace(scenario, policy=replace(scenario.policy, **self.policy))
