"""Hand an instance over to a vector engine and back under load, and count what is wrong.

Writers add, overwrite, delete and change pictures all the time, and searchers look for what was
acknowledged. Meanwhile the instance is handed over: whoever fills the engine or folds the log is
cut off again and again and begins anew, as a killed process would. In the end a sample of what was
written to, and of the rest, is searched for by the engine, and all that was written to here.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from imagesearch.storage import ObjectStore
from imagesearch.storage.lean import open_store

from benchmarks.handover.engines import ENGINES, running
from benchmarks.handover.run import Outcome, Run
from benchmarks.index.store import BUCKET
from benchmarks.index.store import running as storing


def main() -> None:
    """Run it, print a table and the same as one line of JSON; status 1 if anything was wrong."""
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    with tempfile.TemporaryDirectory(dir=given.work) as name:
        folder = Path(name)
        with storing(folder / "store") as environment, running(given.engine, folder) as engine:
            os.environ.update(environment)

            def store() -> ObjectStore:
                return open_store(BUCKET, endpoint=environment["AWS_ENDPOINT_URL_S3"])

            to, opened = engine
            run = Run(
                store, folder, to, opened, pictures=given.pictures, kills=given.kills, say=_say
            )
            outcome = run.carry_out(
                writers=given.writers,
                seconds=given.seconds,
                queries=given.queries,
                sample=given.sample,
            )
    print(_table(outcome, given.engine))
    print(json.dumps(asdict(outcome)))
    faults = outcome.faults
    if faults.lost or faults.returned or faults.stale:
        raise SystemExit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.handover", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--engine", choices=[*ENGINES], default="milvus")
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=5, help="how often work is cut off (5)")
    parser.add_argument("--seconds", type=float, default=15, help="of load in each state (15)")
    parser.add_argument("--queries", type=int, default=200, help="to compare answers of (200)")
    parser.add_argument("--sample", type=int, default=1000, help="of unwritten pictures, checked")
    parser.add_argument("--work", type=Path, help="folder for what is stored meanwhile")
    return parser.parse_args()


def _table(outcome: Outcome, engine: str) -> str:
    rows = [
        ("engine", engine),
        ("pictures", f"{outcome.pictures:,}"),
        ("writes meanwhile", ", ".join(f"{n:,} {kind}" for kind, n in _written(outcome))),
        ("searches meanwhile", f"{outcome.searches:,}"),
        ("cut off and begun anew", f"{outcome.cuts}"),
        ("refused by the engine and tried again", f"{outcome.refused}"),
        ("filled", f"{outcome.filled_rows:,} rows in {outcome.fill_seconds:.0f} s"),
        ("rows a second", f"{outcome.rows_per_second:,.0f}"),
        ("switch, back", f"{outcome.switch_seconds:.2f} s, {outcome.back_seconds:.2f} s"),
        ("pictures checked in the end", f"{outcome.checked:,}"),
        ("wrong", str(outcome.faults)),
        *((f"overlap@10, {when}", str(told)) for when, told in outcome.overlaps.items()),
    ]
    return "\n".join(f"| {name} | {value} |" for name, value in rows)


def _written(outcome: Outcome) -> list[tuple[str, int]]:
    return [(kind, count) for kind, count in outcome.writes.items() if kind != "loaded"]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
