"""``python -m benchmarks.features``: what each feature costs a plain search that does not use it.

The search function starts in fresh processes, today's tree beside the tree of an older commit
(before any of these features), and with each feature there beside none, in turns and in another
order each round. Prints the medians and, by rounds, the ratios; ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imagesearch_local.words import words_folder

from tools.sam.emulated import storage

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BASE = "52d7037"
"""The last commit without thumbnails, meanings, classes, and all that came with and after them."""
BUCKET = "features-bench"
IN_THE_INDEX = ("meanings", "classes", "thumbnails")
COLUMNS = {
    "init": "init, CPU ms",
    "first": "to the first answer, CPU ms",
    "modules": "modules",
    "cold_requests": "requests till then",
    "cold_bytes": "KB fetched",
    "picture": "by picture, CPU ms",
    "named": "by indexed picture, CPU ms",
    "picture_requests": "requests by picture",
    "named_requests": "… by indexed picture",
    "named_bytes": "KB fetched",
    "memory": "memory, MB",
}
TIMES = ("init", "first", "picture", "named", "memory")
_KILO = {"cold_bytes", "named_bytes"}
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Variant:
    """A tree, the bundle it loads, what its index has, and the text encoder if it is there."""

    label: str
    against: str
    tree: Path
    models: Path
    features: tuple[str, ...] = ()
    words: Path | None = None


def main() -> None:
    """Measure, print the tables and the line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__)
    parser.add_argument("--base", default=BASE, metavar="REV", help="the older commit")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--warm", type=int, default=20, help="searches by picture a round")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, older(given.base, Path(folder)) as base:
        variants = planned(Path(folder), base)
        with storage(Path(folder) / "store", BUCKET) as store:
            for name, variant in variants.items():
                command = ["fill.py", name, str(given.pictures), *variant.features]
                run(command, environment(variant, store, Path(folder)))
            rounds = [
                one_round(variants, store, Path(folder), given, n) for n in range(given.rounds)
            ]
    medians = {name: middle([one[name] for one in rounds]) for name in variants}
    print(table(variants, medians))
    print(ratios(variants, rounds))
    print(json.dumps({"pictures": given.pictures, "base": given.base, "medians": medians}))


@contextmanager
def older(revision: str, folder: Path) -> Iterator[Path | None]:
    """Check an older commit out; ``None``, and say so, where there is no such commit."""
    tree = folder / "base"
    added = git("worktree", "add", "--detach", str(tree), revision)
    if added.returncode:
        print(f"not beside {revision}: {added.stderr.strip().splitlines()[-1]}\n")
        yield None
        return
    try:
        yield tree
    finally:
        git("worktree", "remove", "--force", str(tree))


def git(*command: str) -> subprocess.CompletedProcess[str]:
    """Run git in this tree."""
    whole = ["git", "-C", str(ROOT), *command]
    return subprocess.run(whole, capture_output=True, text=True, check=False)


def planned(folder: Path, base: Path | None) -> dict[str, Variant]:
    """Return what is measured, by the name of its instance; each beside the one it is against."""
    found: dict[str, Variant] = {}
    if base:
        models = base / "layers/models"
        found["old"] = Variant("the older tree", "old", base, models)
        found["new"] = Variant("today's tree, the older bundle", "old", ROOT, models)
    full = ROOT / "layers/models"
    bare = without_meanings(full, folder / "models")
    words = words_folder(ROOT)
    found["plain"] = Variant("today's tree and bundle, nothing else", "plain", ROOT, bare)
    found["bundle"] = Variant("… and the bundle makes meanings", "plain", ROOT, full)
    for feature in IN_THE_INDEX:
        found[feature] = Variant(f"… and {feature}", "plain", ROOT, bare, (feature,))
    if words:
        found["words"] = Variant("… and the text encoder", "plain", ROOT, bare, (), words)
    else:
        print("without the text encoder: its package is not installed\n")
    found["all"] = Variant("… and all of it", "plain", ROOT, full, IN_THE_INDEX, words)
    return found


def without_meanings(models: Path, copy: Path) -> Path:
    """Copy a bundle without what makes a picture's meaning."""
    shutil.copytree(models, copy)
    manifest = json.loads((copy / "bundle.json").read_text("utf-8"))
    if recipe := manifest.pop("meaning", None):
        (copy / recipe["file"]).unlink()
        del manifest["files"][recipe["file"]]
    (copy / "bundle.json").write_text(json.dumps(manifest), "utf-8")
    return copy


def environment(variant: Variant, store: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment of a process that runs a variant."""
    return {
        **os.environ,
        **store,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "IMAGESEARCH_MODELS": str(variant.models),
        "IMAGESEARCH_WORDS": str(variant.words or folder / "none"),
        "PYTHONPATH": str(variant.tree / "layers/imagesearch"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
        "POWERTOOLS_METRICS_NAMESPACE": "bench",
    }


def run(command: list[str], variables: Mapping[str, str]) -> str:
    """Run one of the programs beside this one; return its last line."""
    whole = [sys.executable, str(HERE / command[0]), *command[1:]]
    done = subprocess.run(whole, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    return (done.stdout.strip().splitlines() or [""])[-1]


def one_round(
    variants: Mapping[str, Variant],
    store: Mapping[str, str],
    folder: Path,
    given: argparse.Namespace,
    number: int,
) -> dict[str, Figures]:
    """Measure every variant once, in an order of this round."""
    names = list(variants)
    random.Random(number).shuffle(names)
    found: dict[str, Figures] = {}
    for name in names:
        variables = environment(variants[name], store, folder)
        with tempfile.TemporaryDirectory() as cache:
            variables["IMAGESEARCH_CACHE"] = cache
            tree = str(variants[name].tree)
            command = ["measure.py", tree, name, str(given.pictures), str(given.warm)]
            found[name] = json.loads(run(command, variables))
    return found


def middle(runs: list[Figures]) -> Figures:
    """Return the median of every figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def table(variants: Mapping[str, Variant], medians: Mapping[str, Figures]) -> str:
    """Return the medians, a row a variant."""
    rows = [f"| | {' | '.join(COLUMNS.values())} |", "|---|" + "---:|" * len(COLUMNS)]
    for name, variant in variants.items():
        cells = [shown(column, medians[name][column]) for column in COLUMNS]
        rows.append(f"| {variant.label} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def shown(column: str, value: float) -> str:
    """Return a figure in the digits that matter."""
    if column in _KILO:
        return f"{value / 1000:,.1f}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def ratios(variants: Mapping[str, Variant], rounds: list[dict[str, Figures]]) -> str:
    """Return, for each variant beside the one it is against, the median ratio and quartiles."""
    heads = [COLUMNS[name] for name in TIMES]
    rows = [f"| | beside | {' | '.join(heads)} |", "|---|---|" + "---:|" * len(heads)]
    for name, variant in variants.items():
        if variant.against == name:
            continue
        cells = []
        for column in TIMES:
            found = [one[name][column] / one[variant.against][column] for one in rounds]
            low, half, high = quartiles(found)
            cells.append(f"{half:.3f} ({low:.3f}–{high:.3f})")
        rows.append(
            f"| {variant.label} | {variants[variant.against].label} | {' | '.join(cells)} |"
        )
    return "\n".join(rows) + "\n"


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, half, high = statistics.quantiles(values, method="inclusive")
    return low, half, high


if __name__ == "__main__":
    main()
