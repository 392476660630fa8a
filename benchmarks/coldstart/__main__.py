"""``python -m benchmarks.coldstart``: what a first request costs, stage by stage.

Builds the search function and its layers, fills an instance with 10,000 pictures on a real S3
server, and measures in fresh processes on one core. Ends with the figures as one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.coldstart.catalogue import fill
from tools.sam import artifacts, interpreter
from tools.sam.emulated import Environment, storage
from tools.sam.sizes import LAYERS

BUDGET = {"init_cpu_s": 0.8, "first_answer_s": 1.5, "warm_overhead_ms": 10.0}
STAGES = ("decode", "subject", "embed", "search")
BUCKET = "coldstart-bench"


def main() -> None:
    """Measure, print two tables and the line of JSON; exit 1 when a budget is exceeded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coldstart", description=__doc__)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--warm", type=int, default=30)
    given = parser.parse_args()
    if interpreter.find() is None:
        raise SystemExit(interpreter.ADVICE)
    with tempfile.TemporaryDirectory() as folder:
        figures = _measure(Path(folder), given)
    over = {name for name, limit in BUDGET.items() if figures[name] > limit}
    print(json.dumps({**figures, "budget": BUDGET, "over": sorted(over)}))
    raise SystemExit(1 if over else 0)


def _measure(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    build = folder / "build"
    for name in (*LAYERS, "SearchFunction"):
        artifacts.build(name, build / name, architecture=_architecture())
    with storage(folder / "store", BUCKET) as variables:
        fill(variables, build / "ModelsLayer/models", given.pictures)
        # From here on one core, which is what 1,769 MB have; the store keeps its own.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        stages = _stages(build, variables, given.starts)
        answers = _answers(build, variables, given)
    return {**stages, **answers, "pictures": given.pictures}


def _architecture() -> str:
    return "arm64" if os.uname().machine == "aarch64" else "x86_64"


def _stages(build: Path, variables: dict[str, str], starts: int) -> dict[str, Any]:
    """Return the median CPU seconds of each stage of the init phase."""
    environment = Environment(build, "SearchFunction", variables).variables
    runs = [_start(environment) for _ in range(starts)]
    stages = {
        name: round(statistics.median(run["stages"][name] for run in runs), 3)
        for name in runs[0]["stages"]
    }
    total = round(statistics.median(run["total"] for run in runs), 3)
    print(f"{'init stage':<20}CPU s")
    for name, cpu in stages.items():
        print(f"{name:<20}{cpu:.3f}")
    print(f"{'all':<20}{total:.3f}")
    return {"init_cpu_s": total, "init_stages_s": stages}


def _start(environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [str(interpreter.find()), "benchmarks/coldstart/stages.py"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _answers(build: Path, variables: dict[str, str], given: argparse.Namespace) -> dict[str, Any]:
    """Time first answers of fresh environments, then warm ones, under the runtime emulator."""
    event = json.loads(Path("events/search.json").read_text("utf-8"))
    event["rawPath"] = "/v1/instances/bench/search"
    event["pathParameters"] = {"instance": "bench"}
    firsts: list[float] = []
    first_cpus: list[float] = []
    overheads: list[float] = []
    warm: list[float] = []
    warm_cpus: list[float] = []
    for start in range(given.starts):
        with Environment(build, "SearchFunction", variables) as function:
            began = time.perf_counter()
            _search(function, event)
            firsts.append(time.perf_counter() - began)
            first_cpus.append(function.cpu())
            for _ in range(given.warm if start == 0 else 0):
                began = time.perf_counter()
                took = _search(function, event)
                warm.append((time.perf_counter() - began) * 1000)
                overheads.append(took["all"] - sum(took[stage] for stage in STAGES))
            if start == 0:
                warm_cpus.append((function.cpu() - first_cpus[0]) / given.warm * 1000)
    figures = {
        "first_answer_s": round(statistics.median(firsts), 3),
        "first_answer_cpu_s": round(statistics.median(first_cpus), 3),
        "warm_answer_cpu_ms": round(statistics.median(warm_cpus), 1),
        "warm_answer_ms": round(statistics.median(warm), 1),
        "warm_overhead_ms": round(statistics.median(overheads), 1),
    }
    print(f"\nunder the emulator, {given.pictures:,} pictures")
    for name in ("first", "warm"):
        cpu = f"{name}_answer_cpu_" + ("s" if name == "first" else "ms")
        wall = f"{name}_answer_" + ("s" if name == "first" else "ms")
        print(f"{name + ' answer':<20}{figures[wall]} ({figures[cpu]} of the processor)")
    print(f"{'  not models, index':<20}{figures['warm_overhead_ms']:.1f} ms")
    return figures


def _search(function: Environment, event: dict[str, Any]) -> dict[str, float]:
    """Return the milliseconds of each stage, and of all that the handler did."""
    answer = function.invoke(event)
    if answer.get("statusCode") != 200:
        raise SystemExit(f"search answered {json.dumps(answer)[:500]}")
    took: dict[str, float] = json.loads(answer["body"])["took_ms"]
    timing = dict(part.split(";dur=") for part in answer["headers"]["server-timing"].split(", "))
    return took | {"all": float(timing["total"])}


if __name__ == "__main__":
    main()
