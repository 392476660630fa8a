"""How the built-in index grows: straight lines through what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.scale.figures import measured

__all__ = ["Growth", "Line", "growth", "line"]

_MB = 1e6


@dataclass(frozen=True, slots=True)
class Line:
    """``base`` and ``each`` picture more; neither is negative."""

    base: float
    each: float

    def at(self, pictures: float) -> float:
        """Return the value for so many pictures."""
        return self.base + self.each * pictures


def line(sizes: Sequence[float], values: Sequence[float]) -> Line:
    """Return the line through some points whose relative errors have the least squares.

    One point gives a line through nought.
    """
    x, y = np.asarray(sizes, float), np.asarray(values, float)
    if x.size == 1:
        return Line(0.0, float(y[0] / x[0]))
    weights = 1 / np.maximum(y, 1e-9)
    columns = np.stack([np.ones(x.size), x], axis=1)
    base, each = np.linalg.lstsq(columns * weights[:, None], y * weights, rcond=None)[0]
    if base < 0:
        return Line(0.0, float((x * y * weights**2).sum() / (x * x * weights**2).sum()))
    if each < 0:
        return Line(float((y * weights**2).sum() / (weights**2).sum()), 0.0)
    return Line(float(base), float(each))


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What the index takes, by its pictures; processor times are those of this machine.

    Bytes: ``table`` of the row tables, ``codes``, ``rows`` and all files together ``files``.
    ``memory_mb`` is what a process has in memory after all kinds of searches, mapped files
    included, with ``process_mb`` at nought pictures.
    """

    table: Line
    codes: Line
    rows: Line
    search_ms: Line
    filtered_ms: Line
    distinct_ms: Line
    cold_ms: Line
    cold_bytes: Line
    cold_gets: Line
    memory_mb: Line
    fold_ms: Line
    fold_memory_mb: Line
    refold_ms: Line
    add_ms: float
    merge_row_ms: float
    merge_memory_mb: float
    manifest_segment_bytes: float

    @property
    def files(self) -> float:
        """Return the bytes that a picture takes in all files."""
        return self.table.each + self.codes.each + self.rows.each

    @property
    def scanned(self) -> float:
        """Return the bytes of a picture that a first answer waits for."""
        return self.table.each + self.codes.each


_LINES: Mapping[str, tuple[str, float]] = {
    "table": ("bytes_meta", 1),
    "codes": ("bytes_b1", 1),
    "rows": ("bytes_i8", 1),
    "search_ms": ("cpu_ms", 1),
    "filtered_ms": ("cpu_ms_filtered", 1),
    "distinct_ms": ("cpu_ms_distinct", 1),
    "cold_ms": ("cold_cpu_ms", 1),
    "cold_bytes": ("cold_read", 1),
    "cold_gets": ("cold_gets", 1),
    "memory_mb": ("peak_mb", 1),
    "fold_ms": ("fold_cpu_ms", 1),
    "fold_memory_mb": ("fold_peak_mb", 1),
    "refold_ms": ("refold_cpu_ms", 1),
}


def of(results: Sequence[Mapping[str, Any]]) -> Growth:
    """Return the growth that measured sizes show."""
    sizes = [result["rows"] for result in results]
    lines = {
        name: line(sizes, [result[key] * scale for result in results])
        for name, (key, scale) in _LINES.items()
    }
    last = results[-1]
    return Growth(
        **lines,
        add_ms=last["add_cpu_ms"],
        merge_row_ms=max(r["merge_cpu_ms"] / r["merge_rows"] for r in results),
        merge_memory_mb=max(r["merge_peak_mb"] for r in results),
        manifest_segment_bytes=last["segment_bytes"],
    )


@cache
def growth() -> Growth:
    """Return the growth that the kept figures show."""
    return of(measured())
