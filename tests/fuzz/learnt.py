"""Inputs that reach more of the code than the seeds do, found by earlier runs and kept.

``python -m tests.fuzz --corpus FOLDER`` and then ``python -m tests.fuzz.learnt FOLDER`` keeps the
short ones, a line of Base64 each.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

__all__ = ["learnt"]

CORPUS = Path(__file__).parent / "corpus"
_LONGEST = 300
_MOST = 120


def learnt(name: str) -> list[bytes]:
    """Return what was kept for a harness."""
    place = CORPUS / f"{name}.txt"
    lines = place.read_text("ascii").splitlines() if place.exists() else []
    return [base64.b64decode(line) for line in lines]


def keep(folder: Path) -> None:
    """Keep the shortest inputs of every harness."""
    CORPUS.mkdir(exist_ok=True)
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        found = {path.read_bytes() for path in place.iterdir()} | set(learnt(place.name))
        short = sorted(
            (one for one in found if len(one) <= _LONGEST), key=lambda one: (len(one), one)
        )
        lines = [base64.b64encode(one).decode() for one in short[:_MOST]]
        (CORPUS / f"{place.name}.txt").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
