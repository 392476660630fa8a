"""Measure what it takes to search by workers that share the segments, beside one process.

``python -m benchmarks.fanout`` builds an index of each size (or takes the one that
``benchmarks.scale --keep`` left in the same folder), searches it in one process and by 2, 4, …
workers, each a process on one thread. Workers run one at a time, so that a machine of few
processors disturbs none of them; what they would take at once is the slowest one's time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.scale.sizes import Size

_PART = "benchmarks.fanout.measure"
_ROOT = Path(__file__).parents[2]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Figures = dict[str, Any]


def measure(size: Size, workers: list[int], seconds: float) -> Figures:
    """Return the figures of one size."""
    with size.store() as environment:
        if not size.built(environment, seconds):
            raise SystemExit("not all built yet; run the same again.")
        return {
            "rows": size.rows,
            "alone": _part(size, environment, "alone"),
            **{str(n): _part(size, environment, "ask", str(n)) for n in workers},
            "tails": _part(size, environment, "tails"),
        }


def _part(size: Size, environment: Mapping[str, str], *part: str) -> Figures:
    name, *number = part
    print(f"{size.rows:,} {' '.join(part)} …", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", _PART, name, str(size.rows), str(size.folder), *number],
        cwd=_ROOT,
        env={**os.environ, **environment, **dict.fromkeys(_THREADS, "1")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(results: list[Figures], workers: list[int]) -> str:
    """Return the figures as Markdown: of each size, one process, then some workers."""
    heads = (
        "pictures", "processes", "largest share", "cold: CPU ms", "… MB waited for",
        "warm: CPU ms each", "… together", "… of who asks", "of each product one: CPU ms each",
        "with a threshold", "memory, MB",
    )  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|" + "---:|" * len(heads)]
    for found in results:
        one = found["alone"]
        lines.append(
            f"| {found['rows']:,} | 1 | {found['rows']:,} | {one['cold']['cpu_ms']:.0f} "
            f"| {one['cold']['waited_mb']:.0f} | {one['plain']['cpu_ms']:.2f} "
            f"| {one['plain']['cpu_ms']:.2f} | – | {one['distinct']['cpu_ms']:.1f} "
            f"| {one['threshold']['cpu_ms']:.1f} | {one['peak_mb']:.0f} |"
        )
        lines += [_row(found[str(n)], n) for n in workers]
    return "\n".join(lines)


def _row(shared: Figures, workers: int) -> str:
    cold, plain = shared["cold"], shared["plain"]
    return (
        f"| | {workers} | {max(shared['shares']):,} | {cold['cpu_ms']:.0f} "
        f"| {cold['waited_mb']:.0f} | {plain['cpu_ms']:.2f} | {plain['together_cpu_ms']:.2f} "
        f"| {plain['asking_cpu_ms']:.2f} | {shared['distinct']['cpu_ms']:.1f} "
        f"| {shared['threshold']['cpu_ms']:.1f} | {shared['peak_mb']:.0f} |"
    )


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fanout", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 500_000, 1_000_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4])
    default = Path(tempfile.gettempdir()) / "imagesearch-scale"
    parser.add_argument("--work", type=Path, default=default, help=f"scratch folder ({default})")
    parser.add_argument("--stop-after", type=float, default=1e9, metavar="SECONDS")
    given = parser.parse_args()
    results = [
        measure(Size(rows, given.work), given.workers, given.stop_after) for rows in given.sizes
    ]
    print(table(results, given.workers))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
