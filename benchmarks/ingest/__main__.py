"""``python -m benchmarks.ingest``: a batch task's speed beside the bare models'.

With kills, restarts and bad events it also shows that the task ends as it must. Prints one JSON
object; the exit status is 1 if anything is not as it must be.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.ingest.bare import bare_rate
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
        before = bare_rate(sample, light=asked.light, processes=cores)
        yard.start()
        try:
            result = yard.run(kills=asked.kills, restarts=asked.restarts)
        finally:
            yard.service.stop()
        after = bare_rate(sample, light=asked.light, processes=cores)
    bare = (before + after) / 2
    rate = result.task["pictures_per_second"]
    found = {**asdict(result), "bare_per_second": bare, "share_of_bare": rate / bare}
    found["task"] = {n: result.task[n] for n in ("state", "counts", "pictures_per_second")}
    print(json.dumps(found))
    sys.exit(1 if result.mistakes else 0)


if __name__ == "__main__":
    main()
