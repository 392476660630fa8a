"""One size of the index: built, measured phase by phase, erased."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.index.store import running

__all__ = ["PHASES", "Size"]

PHASES = ("settle", "cold", "warm", "write", "fold", "merge")
"""What is measured of an index that is built, in this order: from write on it changes."""
_COLD_RUNS = 5
_ROOT = Path(__file__).parents[2]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Size:
    """So many rows, with all files in folders below ``work``."""

    rows: int
    work: Path
    graph_rows: int = 0

    @property
    def folder(self) -> Path:
        """Return the folder of the index's cache; beside it are notes on the build."""
        return self.work / f"scale-{self.rows}"

    @contextmanager
    def store(self) -> Iterator[Mapping[str, str]]:
        """Run the store; yield the environment with which a measuring process finds it."""
        self.work.mkdir(parents=True, exist_ok=True)
        with running(self.work / f"store-{self.rows}") as variables:
            yield {**variables, "BENCHMARK_GRAPH_ROWS": str(self.graph_rows)}

    def built(self, environment: Mapping[str, str], seconds: float) -> bool:
        """Build, for so long at most; tell whether all is there."""
        done = self.folder.with_suffix(".built.json")
        if not done.exists():
            figures = self._phase("build", environment, seconds)
            if not figures.pop("done"):
                return False
            done.write_text(json.dumps(figures))
        return True

    def measured(self, environment: Mapping[str, str], phases: Sequence[str]) -> dict[str, Any]:
        """Return the figures of the build and of some phases."""
        figures = json.loads(self.folder.with_suffix(".built.json").read_text())
        for phase in phases:
            if phase == "cold":
                figures |= self._cold(environment)
            else:
                figures |= self._phase(phase, environment)
        return {"rows": self.rows, **figures, "bytes_each": figures["bytes"] / self.rows}

    def erase(self) -> None:
        """Remove everything that was written."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.work / f"store-{self.rows}", ignore_errors=True)
        for file in self.work.glob(f"{self.folder.name}.*"):
            file.unlink()

    def _cold(self, environment: Mapping[str, str]) -> dict[str, Any]:
        """Return the medians of several cold starts."""
        runs = []
        for _ in range(_COLD_RUNS):
            shutil.rmtree(self.folder, ignore_errors=True)
            runs.append(self._phase("cold", environment))
        return {name: statistics.median(run[name] for run in runs) for name in runs[0]}

    def _phase(
        self, phase: str, environment: Mapping[str, str], seconds: float = 0
    ) -> dict[str, Any]:
        print(f"{self.rows:,} {phase} …", file=sys.stderr, flush=True)
        given = [phase, str(self.rows), str(self.folder), str(seconds)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale.measure", *given],
            cwd=_ROOT,
            env={**os.environ, **environment, **dict.fromkeys(_THREADS, "1")},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return dict(json.loads(done.stdout.splitlines()[-1]))
