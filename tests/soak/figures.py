"""What a soak measured: how often, how fast, how much trouble."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Figures"]


@dataclass(slots=True)
class Figures:
    """Counts and times (ms) of operations by kind, their answers by status, trouble by kind."""

    times: dict[str, list[float]] = field(default_factory=dict)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    trouble: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, kind: str, status: str, seconds: float) -> None:
        """Note one request; times count only where the answer was a success."""
        with self._lock:
            self.answers[kind, status] += 1
            if status.startswith("2"):
                self.times.setdefault(kind, []).append(seconds * 1000)

    def suffered(self, kind: str, count: int = 1) -> None:
        """Note trouble."""
        with self._lock:
            self.trouble[kind] += count

    def table(self) -> str:
        """Return operations, what failed of them, and p50 and p99 of the others."""
        lines = [
            "| operation | done | refused (4xx) | failed | p50 ms | p99 ms |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        for kind in sorted({kind for kind, _ in self.answers}):
            times = self.times.get(kind, [])
            own = [(status, n) for (of, status), n in self.answers.items() if of == kind]
            refused = sum(n for status, n in own if status.startswith("4"))
            failed = sum(n for _, n in own) - refused - len(times)
            p50, p99 = np.percentile(times, [50, 99]) if times else (0.0, 0.0)
            lines.append(
                f"| {kind} | {len(times):,} | {refused:,} | {failed:,} | {p50:,.0f} | {p99:,.0f} |"
            )
        return "\n".join(lines)

    def statuses(self) -> dict[str, int]:
        """Return how many requests had each outcome."""
        found: Counter[str] = Counter()
        for (_, status), count in self.answers.items():
            found[status] += count
        return dict(sorted(found.items()))
