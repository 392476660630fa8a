"""``python -m benchmarks.ingest``: a batch task's speed beside the bare models'.

With kills, restarts and bad events it also shows that the task ends as it must. Prints one JSON
object; the exit status is 1 if anything is not as it must be. Shares are by the clock, which other
work on the machine disturbs, and by the processor's time in the workers, which it does not; the
latter is told only where no worker was killed, since the time of the dead is not known.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.ingest.bare import bare
from benchmarks.ingest.job import job
from benchmarks.ingest.run import Yard


def main() -> None:
    """Measure, and check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=5000)
    parser.add_argument("--light", action="store_true", help="give region and category")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--restarts", type=int, default=0)
    parser.add_argument("--trouble", default="", help="such as duplicate=0.3,delay=2")
    asked = parser.parse_args()
    os.environ["IMAGESEARCH_EVENT_TROUBLE"] = asked.trouble
    work = job(asked.pictures, light=asked.light)
    sample = [body for name, body in work.pictures.items() if name != "broken.jpg"][:40]
    cores = os.cpu_count() or 2
    with tempfile.TemporaryDirectory(prefix="bench-ingest-") as folder:
        yard = Yard(Path(folder) / "data", work)
        before = bare(sample, light=asked.light, processes=cores)
        yard.start()
        try:
            result = yard.run(kills=asked.kills, restarts=asked.restarts)
        finally:
            yard.service.stop()
        after = bare(sample, light=asked.light, processes=cores)
    rate = result.task["pictures_per_second"]
    alone, alone_ms = (before.rate + after.rate) / 2, (before.cpu_ms + after.cpu_ms) / 2
    looked = result.task["counts"]["added"] or 1
    found = {
        **asdict(result),
        "bare_per_second": alone,
        "share_of_bare": rate / alone,
        "bare_cpu_ms": alone_ms,
        "worker_cpu_ms": 1000 * result.cpu / looked,
        "share_of_bare_by_cpu": alone_ms * looked / (1000 * result.cpu) if result.cpu else None,
    }
    found["task"] = {n: result.task[n] for n in ("state", "counts", "pictures_per_second")}
    print(json.dumps(found))
    sys.exit(1 if result.mistakes else 0)


if __name__ == "__main__":
    main()
