"""Measure the index against its peers: ``python -m benchmarks.index --help``.

Every engine gets the same vectors and queries, one thread, and processes of its own: one that
builds, several that open cold, one that answers, one that adds. The last line is JSON.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.index.peers import PEERS
from benchmarks.index.store import running, upload
from benchmarks.index.table import table
from benchmarks.index.vectors import make

ROOT = Path(__file__).parents[2]
KEPT = "ours, snapshot kept"
OURS = ("ours", KEPT)

ENGINES = (KEPT, "ours", *(peer.name for peer in PEERS))
COLD_RUNS = 5
_OF_COLD_RUNS = {
    "ms": "cold_ms",
    "cpu_ms": "cold_cpu_ms",
    "started_ms": "started_ms",
    "started_cpu_ms": "started_cpu_ms",
    "peak_mb": "peak_mb",
}
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "RAYON_NUM_THREADS",
        "LANCE_CPU_THREADS",
        "TOKIO_WORKER_THREADS",
        "NUMBA_NUM_THREADS",
    ),
    "1",
)


@dataclass(frozen=True)
class Bench:
    """Where things are, and how long a phase may take."""

    work: Path
    data: Path
    python: Path
    environment: Mapping[str, str]
    limit: float

    def engine(self, name: str) -> dict[str, Any]:
        """Measure one engine; what went wrong takes the place of figures that are missing."""
        figures: dict[str, Any] = {"engine": name}
        try:
            for phase in (self._build, self._warm, self._cold, self._fresh):
                figures |= phase(name, self._folder(name))
        except (subprocess.TimeoutExpired, RuntimeError) as error:
            figures["failed"] = str(error)[-300:]
        if name not in OURS:
            shutil.rmtree(self._folder(name), ignore_errors=True)
        return figures

    def _folder(self, name: str) -> Path:
        shared = OURS[0] if name in OURS else name
        return self.work / "engines" / shared.replace(" ", "-")

    def _build(self, name: str, folder: Path) -> dict[str, Any]:
        if folder.exists():  # both ways to search ours use one index
            return {}
        folder.mkdir(parents=True)
        return self._phase(name, "build", folder)

    def _warm(self, name: str, folder: Path) -> dict[str, Any]:
        return self._phase(name, "warm", folder)

    def _cold(self, name: str, folder: Path) -> dict[str, Any]:
        """Open from the object store with nothing at hand, and from local files."""
        if name == KEPT:
            return {}
        if name in OURS:
            return self._cold_runs(name, folder, "remote", empty=True)
        local = self._cold_runs(name, folder, "local")
        upload(folder, self.environment)
        return local | self._cold_runs(name, folder, "remote", BENCHMARK_FETCH="1")

    def _cold_runs(
        self, name: str, folder: Path, where: str, *, empty: bool = False, **more: str
    ) -> dict[str, Any]:
        runs = []
        for _ in range(COLD_RUNS):
            if empty:
                shutil.rmtree(folder, ignore_errors=True)
            runs.append(self._phase(name, "cold", folder, **more))
        return {
            f"{where}_{what}": statistics.median(run[name] for run in runs)
            for what, name in _OF_COLD_RUNS.items()
        }

    def _fresh(self, name: str, folder: Path) -> dict[str, Any]:
        return {} if name == KEPT else self._phase(name, "fresh", folder)

    def _phase(self, name: str, phase: str, folder: Path, **more: str) -> dict[str, Any]:
        python = sys.executable if name in OURS else str(self.python)
        command = [
            python,
            "-m",
            "benchmarks.index.measure",
            name,
            phase,
            str(self.data),
            str(folder),
        ]
        environment = {**os.environ, **self.environment, **ONE_THREAD, **more}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True,
            timeout=self.limit, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{phase}: {(done.stderr or 'ended').strip().splitlines()[-1]}")
        return dict(json.loads(done.stdout.splitlines()[-1]))


def prepared(work: Path) -> Path:
    """Make the peers' environment if there is none, and return its Python."""
    python = work / "peers" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(work / "peers")], check=True)
    wanted = Path(__file__).with_name("requirements.txt")
    marker = work / "peers" / "installed.txt"
    if not marker.exists() or marker.read_text() != wanted.read_text():
        print("installing the peers …", file=sys.stderr)
        install = [str(python), "-m", "pip", "install", "--quiet"]
        for line in wanted.read_text().splitlines():
            if line and not line.startswith("#"):  # one by one: a peer may not install here
                subprocess.run([*install, line], check=False, stdout=subprocess.DEVNULL)
        marker.write_text(wanted.read_text())
    return python


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.index", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="vectors (100000)")
    parser.add_argument("--queries", type=int, default=100, help="queries (100)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the data (1)")
    parser.add_argument(
        "--engines", nargs="+", default=list(ENGINES), choices=ENGINES, metavar="ENGINE",
        help=f"which to measure, of: {', '.join(ENGINES)}",
    )  # fmt: skip
    default = Path(tempfile.gettempdir()) / "imagesearch-benchmark"
    parser.add_argument("--work", type=Path, default=default, help=f"scratch folder ({default})")
    parser.add_argument("--limit", type=float, default=900, help="seconds for one phase (900)")
    return parser.parse_args()


def main() -> None:
    """Measure, print the table, and print the figures as one line of JSON."""
    chosen = arguments()
    work: Path = chosen.work
    data = work / f"data-{chosen.rows}-{chosen.queries}-{chosen.seed}"
    make(data, chosen.rows, chosen.queries, chosen.seed)
    python = prepared(work) if set(chosen.engines) - set(OURS) else Path(sys.executable)
    shutil.rmtree(work / "engines", ignore_errors=True)
    shutil.rmtree(work / "store", ignore_errors=True)
    results = []
    with running(work / "store") as environment:
        bench = Bench(work, data, python, environment, chosen.limit)
        for name in chosen.engines:
            print(f"{name} …", file=sys.stderr, flush=True)
            results.append(bench.engine(name))
            print(json.dumps(results[-1]), file=sys.stderr, flush=True)
    print(table(results))
    print(json.dumps({"rows": chosen.rows, "queries": chosen.queries, "engines": results}))


if __name__ == "__main__":
    main()
