"""The figures as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["table"]

_COLUMNS: Mapping[str, tuple[str, float, str]] = {
    "build CPU s": ("build_cpu_s", 1, ".1f"),
    "MB stored": ("bytes", 1e-6, ".0f"),
    "recall@10": ("recall", 1, ".3f"),
    "p50 ms": ("p50_ms", 1, ".2f"),
    "p95 ms": ("p95_ms", 1, ".2f"),
    "CPU ms": ("cpu_ms", 1, ".2f"),
    "1 % filter: recall": ("recall_0.01", 1, ".3f"),
    "CPU ms ": ("cpu_ms_0.01", 1, ".2f"),
    "50 % filter: recall": ("recall_0.5", 1, ".3f"),
    "CPU ms  ": ("cpu_ms_0.5", 1, ".2f"),
    "cold from store ms": ("remote_ms", 1, ".0f"),
    "CPU ms   ": ("remote_cpu_ms", 1, ".0f"),
    "imports of it": ("remote_started_cpu_ms", 1, ".0f"),
    "cold from files ms": ("local_ms", 1, ".0f"),
    "CPU ms    ": ("local_cpu_ms", 1, ".0f"),
    "imports of it ": ("local_started_cpu_ms", 1, ".0f"),
    "add → found ms": ("visible_ms", 1, ".0f"),
    "memory MB": ("memory_mb", 1, ".0f"),
}


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return one row for each engine; – where there is no figure, notes below."""
    lines = [
        f"| engine | {' | '.join(title.strip() for title in _COLUMNS)} |",
        f"|---|{'---:|' * len(_COLUMNS)}",
    ]
    for result in results:
        cells = [_cell(result.get(key), scale, form) for key, scale, form in _COLUMNS.values()]
        lines.append(f"| {result['engine']} | {' | '.join(cells)} |")
    notes = [
        f"- {result['engine']}: {result[what]}"
        for result in results
        for what in ("no_filter", "failed")
        if what in result
    ]
    return "\n".join([*lines, "", *notes]) if notes else "\n".join(lines)


def _cell(value: float | None, scale: float, form: str) -> str:
    return "–" if value is None else format(value * scale, form)
