"""Run a soak and print its figures; ends with status 1 if any promise was broken."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.soak.run import Report, Settings, soak

KINDS = ("lost", "returned", "doubled", "stale", "unclear")


def main() -> int:
    """Read the options, soak, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=Settings().minutes)
    parser.add_argument("--workers", type=int, default=Settings().workers)
    parser.add_argument("--pause", type=float, default=Settings().pause, help="between troubles, s")
    parser.add_argument("--seed", type=int, default=Settings().seed)
    parser.add_argument("--keep", type=Path, help="a folder for the data, which then stays")
    given = vars(parser.parse_args())
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: end early, and check
    keep: Path | None = given.pop("keep")
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        report = soak(keep or Path(folder) / "data", Settings(**given))
    sys.stdout.write(said(report) + "\n")
    return 1 if report.ledger.wrongs else 0


def said(report: Report) -> str:
    """Return the figures as Markdown."""
    ledger, figures = report.ledger, report.figures
    wrongs = Counter(wrong.kind for wrong in ledger.wrongs)
    trouble = ", ".join(f"{kind} {count}" for kind, count in sorted(figures.trouble.items()))
    faults = {name: count for name, count in report.store.items() if name != "requests"}
    lines = [
        f"{report.seconds / 60:.1f} minutes, {report.audits} audits of everything",
        f"Writes: {ledger.acknowledged:,} acknowledged, {ledger.doubted:,} in doubt",
        f"{report.tasks} increment tasks, {report.pictures} pictures at the end",
        "",
        figures.table(),
        "",
        f"Answers: {json.dumps(figures.statuses())}",
        f"Trouble: {trouble}",
        f"Store: {report.store['requests']:,} requests, {sum(faults.values()):,} faults",
        f"Faults: {json.dumps(faults)}",
        f"Upkeep: {json.dumps(report.upkeep)[:600]}",
        f"Largest function: {report.megabytes:.0f} MB",
        "",
        *(f"{kind} = {wrongs[kind]}" for kind in KINDS),
        *(f"  {wrong.kind}: {wrong.what}" for wrong in ledger.wrongs[:50]),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
