"""Time, and the hybrid logical clock that orders writes without anybody being in charge."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["MAX_CLOCK", "Clock", "SystemClock", "tick"]

MAX_CLOCK = 2**53 - 1
"""Largest value a clock may have: the last that JSON carries exactly. The year 2255."""


class Clock(Protocol):
    """The time of one process. It may be wrong: correctness never depends on ``now``."""

    def now(self) -> int:
        """Return microseconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some moment, never going back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Return microseconds since 1970."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Return seconds since some moment, never going back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def tick(now: int, floor: int) -> int:
    """Return a clock value later than all that was seen: ``max(now, floor + 1)``.

    The floor makes a write that begins after another was acknowledged the later of the two,
    whichever of their machines' clocks is ahead.
    """
    return max(now, floor + 1)
