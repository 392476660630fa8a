"""Measure how the index grows: ``python -m benchmarks.scale --help``.

Every size is built, opened cold and searched warm in processes of their own, on one thread. The
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.index.store import running

ROOT = Path(__file__).parents[2]
COLD_RUNS = 5
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
TABLE: Mapping[str, tuple[str, float, str]] = {
    "recall@10": ("recall", 1, ".3f"),
    "search, CPU ms": ("cpu_ms", 1, ".2f"),
    "… wall ms, median": ("p50_ms", 1, ".2f"),
    "… wall ms, 95th percentile": ("p95_ms", 1, ".2f"),
    "… in a large category, CPU ms": ("cpu_ms_common", 1, ".2f"),
    "… in a small one": ("cpu_ms_rare", 1, ".2f"),
    "… with a filter that 1 % pass": ("cpu_ms_filtered", 1, ".2f"),
    "… one picture of each product": ("cpu_ms_distinct", 1, ".2f"),
    "… with a threshold": ("cpu_ms_threshold", 1, ".2f"),
    "cold: interpreter and imports, CPU ms": ("imports_cpu_ms", 1, ".0f"),
    "… then to the first answer, CPU ms": ("cold_cpu_ms", 1, ".0f"),
    "… the same, wall ms": ("cold_ms", 1, ".0f"),
    "… MB of files by then": ("fetched", 1e-6, ".0f"),
    "memory after a cold answer, MB": ("cold_peak_mb", 1, ".0f"),
    "memory after all searches, maps included, MB": ("peak_mb", 1, ".0f"),
    "`/tmp`, MB": ("cache", 1e-6, ".0f"),
    "bytes stored a picture": ("bytes_each", 1, ".0f"),
    "segments": ("segments", 1, ".0f"),
    "build, CPU s": ("build_cpu_s", 1, ".0f"),
    "memory of the build, maps included, MB": ("build_peak_mb", 1, ".0f"),
}


def measured(rows: int, work: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the figures of one size."""
    folder = work / f"scale-{rows}"
    figures = _phase("build", rows, folder, environment)
    runs = []
    for _ in range(COLD_RUNS):
        shutil.rmtree(folder, ignore_errors=True)
        runs.append(_phase("cold", rows, folder, environment))
    figures |= {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    figures |= _phase("warm", rows, folder, environment)
    shutil.rmtree(folder, ignore_errors=True)
    return {"rows": rows, **figures, "bytes_each": figures["bytes"] / rows}


def _phase(phase: str, rows: int, folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    print(f"{rows:,} {phase} …", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale.measure", phase, str(rows), str(folder)],
        cwd=ROOT,
        env={**os.environ, **environment, **dict.fromkeys(THREADS, "1")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(results: list[dict[str, Any]]) -> str:
    """Return the figures as a Markdown table, one column for each size."""
    lines = [
        "| pictures | " + " | ".join(f"{result['rows']:,}" for result in results) + " |",
        "|---|" + "---:|" * len(results),
    ]
    for title, (key, scale, form) in TABLE.items():
        cells = " | ".join(format(result[key] * scale, form) for result in results)
        lines.append(f"| {title} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, and print the figures as one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[100_000, 1_000_000],
        help="pictures (100000 1000000)",
    )  # fmt: skip
    default = Path(tempfile.gettempdir()) / "imagesearch-scale"
    parser.add_argument("--work", type=Path, default=default, help=f"scratch folder ({default})")
    parser.add_argument(
        "--graph-rows", type=int, default=0, help="rows from which a segment has a graph (never)"
    )
    given = parser.parse_args()
    shutil.rmtree(given.work, ignore_errors=True)
    given.work.mkdir(parents=True)
    results = []
    for rows in given.rows:
        with running(given.work / "store") as variables:
            environment = {**variables, "BENCHMARK_GRAPH_ROWS": str(given.graph_rows)}
            results.append(measured(rows, given.work, environment))
        print(json.dumps(results[-1]), file=sys.stderr, flush=True)
        shutil.rmtree(given.work / "store")
    print(table(results))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
