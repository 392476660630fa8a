"""The figures that were measured: kept in a file, shown as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "keep", "measured", "table"]

RESULTS = Path(__file__).with_name("results.json")
_NONE = "–"
_TABLE: Mapping[str, tuple[str, float, str]] = {
    "recall@10": ("recall", 1, ".3f"),
    "… 1,024 codes compared": ("recall_1024", 1, ".3f"),
    "… 4,096 compared": ("recall_4096", 1, ".3f"),
    "… 16,384 compared": ("recall_16384", 1, ".3f"),
    "search, CPU ms": ("cpu_ms", 1, ".2f"),
    "… in a large category, CPU ms": ("cpu_ms_common", 1, ".2f"),
    "… in a small one": ("cpu_ms_rare", 1, ".2f"),
    "… with a filter that 1 % pass": ("cpu_ms_filtered", 1, ".2f"),
    "… with a filter that half pass": ("cpu_ms_half", 1, ".2f"),
    "… one picture of each product": ("cpu_ms_distinct", 1, ".2f"),
    "… with a threshold": ("cpu_ms_threshold", 1, ".2f"),
    "… 1,024 codes compared, CPU ms": ("cpu_ms_1024", 1, ".2f"),
    "… 4,096, CPU ms": ("cpu_ms_4096", 1, ".2f"),
    "… 16,384, CPU ms": ("cpu_ms_16384", 1, ".2f"),
    "looking for newer writes first: CPU ms": ("look_cpu_ms", 1, ".2f"),
    "… LIST, GET": ("look_lists look_gets", 1, ".0f"),
    "cold: interpreter and imports, CPU ms": ("imports_cpu_ms", 1, ".0f"),
    "… then to the first answer, CPU ms": ("cold_cpu_ms", 1, ".0f"),
    "… the same, wall ms": ("cold_ms", 1, ".0f"),
    "… requests by then": ("cold_gets", 1, ".0f"),
    "… MB read by then": ("cold_read", 1e-6, ".0f"),
    "memory after a cold answer, MB": ("cold_peak_mb", 1, ".0f"),
    "memory after plain searches: own, MB": ("after_plain_own_mb", 1, ".0f"),
    "… files mapped, MB": ("after_plain_mapped_mb", 1, ".0f"),
    "memory after all searches: own, MB": ("own_mb", 1, ".0f"),
    "… mapped files, MB": ("mapped_mb", 1, ".0f"),
    "`/tmp`, MB": ("cache", 1e-6, ".0f"),
    "add: CPU ms": ("add_cpu_ms", 1, ".2f"),
    "… wall ms, the store on the same machine": ("add_ms", 1, ".1f"),
    "… requests: LIST, GET, PUT": ("add_lists add_gets add_puts", 1, ".0f"),
    "fold of 500 writes, nothing at hand: CPU ms": ("fold_cpu_ms", 1, ".0f"),
    "… MB fetched": ("fold_read", 1e-6, ".0f"),
    "… GETs, PUTs": ("fold_gets fold_puts", 1, ".0f"),
    "… MB written": ("fold_written", 1e-6, ".1f"),
    "… memory, maps included, MB": ("fold_peak_mb", 1, ".0f"),
    "… the next one: CPU ms": ("refold_cpu_ms", 1, ".0f"),
    "rewriting a segment: rows": ("merge_rows", 1, ",.0f"),
    "… CPU s": ("merge_cpu_ms", 1e-3, ".1f"),
    "… MB fetched for it": ("merge_read", 1e-6, ".0f"),
    "… memory for it, maps included, MB": ("merge_peak_mb", 1, ".0f"),
    "bytes stored a picture": ("bytes_each", 1, ".0f"),
    "segments": ("segments", 1, ".0f"),
    "manifest, KB": ("manifest_bytes", 1e-3, ".1f"),
    "build, CPU s": ("build_cpu_s", 1, ".0f"),
    "memory of the build, maps included, MB": ("build_peak_mb", 1, ".0f"),
}


def measured(file: Path = RESULTS) -> list[dict[str, Any]]:
    """Return the figures that were kept, smallest size first."""
    if not file.exists():
        return []
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return sorted(found, key=lambda result: result["rows"])


def keep(file: Path, result: Mapping[str, Any]) -> None:
    """Put the figures of one size into the file; what it has beyond them stays."""
    sizes = {other["rows"]: other for other in measured(file)}
    rounded = {
        name: round(figure, 4) if isinstance(figure, float) else figure
        for name, figure in result.items()
    }
    sizes[result["rows"]] = sizes.get(result["rows"], {}) | rounded
    text = json.dumps([sizes[rows] for rows in sorted(sizes)], indent=1)
    file.write_text(text + "\n", encoding="utf-8")


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the figures as a Markdown table, one column for each size; a dash is not measured."""
    lines = [
        "| pictures | " + " | ".join(f"{result['rows']:,}" for result in results) + " |",
        "|---|" + "---:|" * len(results),
    ]
    for title, (keys, scale, form) in _TABLE.items():
        cells = [_cell(result, keys.split(), scale, form) for result in results]
        if any(cell != _NONE for cell in cells):
            lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(result: Mapping[str, Any], keys: Sequence[str], scale: float, form: str) -> str:
    if any(key not in result for key in keys):
        return _NONE
    return ", ".join(format(result[key] * scale, form) for key in keys)
