"""Measure how the index grows, or compute how it and its alternatives would.

``python -m benchmarks.scale`` builds every size, opens it cold, searches it warm, writes to it,
folds and merges, in processes of their own, on one thread, and keeps the figures.
``python -m benchmarks.scale model`` prints what follows from them up to a billion pictures.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.scale.figures import RESULTS, keep, table
from benchmarks.scale.sizes import PHASES, Size


def measure(given: argparse.Namespace) -> None:
    """Measure the sizes asked for; print a table, and the figures as one line of JSON."""
    results = []
    for rows in given.sizes:
        size = Size(rows, given.work, given.graph_rows)
        with size.store() as environment:
            if not size.built(environment, given.stop_after):
                print(f"{rows:,}: not all built yet; run the same again.", file=sys.stderr)
                return
            results.append(size.measured(environment, given.phases))
        if not given.keep:
            size.erase()
        print(json.dumps(results[-1]), file=sys.stderr, flush=True)
        if given.results:
            keep(given.results, results[-1])
    print(table(results))
    print(json.dumps(results))


def model(given: argparse.Namespace) -> None:
    """Print what the model says, or write it into the page."""
    from benchmarks.scale.tables import PAGE, page, report, written

    if given.markdown:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), page()), encoding="utf-8")
    else:
        print(report(given.pictures, given.searches, given.writes))


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers()
    measuring = commands.add_parser("measure", help="measure (what is done by default)")
    measuring.add_argument(
        "--sizes", "--rows", type=int, nargs="+", default=[100_000, 1_000_000],
        help="pictures (100000 1000000)",
    )  # fmt: skip
    default = Path(tempfile.gettempdir()) / "imagesearch-scale"
    measuring.add_argument("--work", type=Path, default=default, help=f"scratch folder ({default})")
    measuring.add_argument(
        "--graph-rows", type=int, default=0, help="rows from which a segment has a graph (never)"
    )
    measuring.add_argument("--keep", action="store_true", help="keep the index for another run")
    measuring.add_argument(
        "--stop-after", type=float, default=1e9, metavar="SECONDS",
        help="end a build after so long; the next run goes on where it stopped",
    )  # fmt: skip
    measuring.add_argument(
        "--phases", nargs="*", choices=PHASES, default=PHASES, help="what to measure (all)"
    )
    measuring.add_argument(
        "--results", type=Path, nargs="?", const=RESULTS, help="keep the figures in this file"
    )
    measuring.set_defaults(do=measure)
    modelling = commands.add_parser("model", help="compute requests, memory, seconds and cost")
    modelling.add_argument("--pictures", type=float, nargs="+", help="sizes of the catalogue")
    modelling.add_argument("--searches", type=float, nargs="+", help="searches a month")
    modelling.add_argument("--writes", type=float, help="pictures written a month")
    modelling.add_argument("--markdown", action="store_true", help="write docs/scale.md's tables")
    modelling.set_defaults(do=model)
    arguments = sys.argv[1:]
    named = arguments and arguments[0] in {"measure", "model", "-h", "--help"}
    given = parser.parse_args(arguments if named else ["measure", *arguments])
    given.do(given)


if __name__ == "__main__":
    main()
