"""How the built-in index grows: straight lines through what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.scale.figures import measured
from benchmarks.scale.prices import ASSUMED

__all__ = ["Growth", "Line", "growth", "line", "segments"]


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

    def late_rows(self, pictures: float) -> float:
        """Return the bytes of rows that come after a first answer: none if they are few."""
        size = self.rows.each * pictures
        return size if size > ASSUMED.few_bytes else 0.0

    def cold_bytes(self, pictures: float) -> float:
        """Return the bytes that a first answer waits for."""
        if self.late_rows(pictures):
            return self.scanned * pictures + ASSUMED.row_reads * self.rows.each
        return self.files * pictures

    def cold_gets(self, pictures: float) -> float:
        """Return the GETs that a first answer waits for: parts of files, and rows one by one."""
        late = bool(self.late_rows(pictures))
        files = (2 if late else 3) * segments(pictures)
        parts = self.cold_bytes(pictures) / ASSUMED.part_bytes + files / 2
        return 1 + parts + (ASSUMED.row_reads if late else 0)


def segments(pictures: float) -> float:
    """Return about how many segments an index has: settled ones, and a few young ones."""
    return pictures / ASSUMED.segment_rows + ASSUMED.young_segments


_LINES: Mapping[str, str] = {
    "table": "bytes_meta",
    "codes": "bytes_b1",
    "rows": "bytes_i8",
    "search_ms": "cpu_ms",
    "filtered_ms": "cpu_ms_filtered",
    "distinct_ms": "cpu_ms_distinct",
    "cold_ms": "cold_cpu_ms",
    "memory_mb": "peak_mb",
    "fold_ms": "fold_cpu_ms",
    "fold_memory_mb": "fold_peak_mb",
    "refold_ms": "refold_cpu_ms",
}


def of(results: Sequence[Mapping[str, Any]]) -> Growth:
    """Return the growth that measured sizes show, each figure by the sizes that have it."""

    def having(*keys: str) -> list[Mapping[str, Any]]:
        return [result for result in results if all(key in result for key in keys)]

    lines = {
        name: line([r["rows"] for r in having(key)], [r[key] for r in having(key)])
        for name, key in _LINES.items()
    }
    merges = having("merge_cpu_ms", "merge_rows")
    return Growth(
        **lines,
        add_ms=having("add_cpu_ms")[-1]["add_cpu_ms"],
        merge_row_ms=max(r["merge_cpu_ms"] / r["merge_rows"] for r in merges),
        merge_memory_mb=max(r["merge_peak_mb"] for r in merges),
        manifest_segment_bytes=having("segment_bytes")[-1]["segment_bytes"],
    )


@cache
def growth() -> Growth:
    """Return the growth that the kept figures show."""
    return of(measured())
