"""Report what a build weighs, unzipped, and hold it to its budget."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BUDGET", "LIMIT", "Weight", "report", "weigh"]

BUDGET = 200_000_000
"""Bytes a function and its layers may have together, by our own rule."""

LIMIT = 262_144_000
"""Bytes from which on Lambda refuses them (250 MiB)."""

LAYERS = ("RuntimeLayer", "PackageLayer", "ModelsLayer", "WordsLayer")


@dataclass(frozen=True, slots=True)
class Weight:
    """Unzipped bytes of each part of a build."""

    parts: dict[str, int]

    @property
    def layers(self) -> int:
        """Return what the layers weigh together."""
        return sum(self.parts[name] for name in LAYERS)

    @property
    def heaviest(self) -> int:
        """Return what the largest function weighs with its layers."""
        functions = [size for name, size in self.parts.items() if name not in LAYERS]
        return self.layers + max(functions, default=0)


def weigh(folder: Path) -> Weight:
    """Weigh the parts of a finished ``sam build`` in ``folder``."""
    return Weight({part.name: _bytes(part) for part in sorted(folder.iterdir()) if part.is_dir()})


def report(folder: Path) -> int:
    """Print a table and one line of JSON; return 1 when the budget is exceeded, else 0."""
    weight = weigh(folder)
    for name, size in sorted(weight.parts.items(), key=lambda part: -part[1]):
        print(f"{name:<20}{size / 1e6:>9.1f} MB")
    print(f"{'function + layers':<20}{weight.heaviest / 1e6:>9.1f} MB of {BUDGET / 1e6:.0f} MB")
    print(json.dumps({"bytes": weight.parts, "heaviest": weight.heaviest, "budget": BUDGET}))
    return int(weight.heaviest > BUDGET)


def _bytes(tree: Path) -> int:
    return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
