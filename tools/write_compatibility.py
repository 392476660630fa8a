"""Run the vendor's SDKs against the contract and write what happened into docs/compatibility.md.

Usage: python tools/write_compatibility.py
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from imagesearch.contract.generation import GENERATIONS, PLATFORM
from imagesearch.contract.service import OPERATIONS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/compatibility.md"
BEGIN, END = "<!-- calls: written by tools/write_compatibility.py -->\n", "<!-- end of calls -->\n"

SDKS = {
    "2020-12-14 current": "Python 4.4.0",
    "2020-12-14 of 2023": "Python 3.1.1",
    "current": "Node 4.4.0",
    "2020-02-12": "Python 1.0.1",
    "2019-03-25 current": "Python 2.0.2",
    "2019-03-25 legacy": "Python legacy 2.0.0",
    "imagesearch-2019-03-25": "Node pop-core 1.0.0",
    "2018-03-19": "Python 1.0.0",
    "imagesearch-2018-01-20": "Node pop-core 1.0.0",
}
VERSION = {
    "current": "2020-12-14",
    "imagesearch-2019-03-25": "2019-03-25",
    "imagesearch-2018-01-20": "2018-01-20",
    "2018-03-19": "2018-01-20",
}

Calls = dict[tuple[str, str], dict[str, set[str]]]


def run() -> Calls:
    """Run the SDK tests; return plain, Advance and error outcomes by SDK and action."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "calls.jsonl"
        command = [sys.executable, "-m", "pytest", "-q", "tests/contract/sdk", "-m", "not system"]
        subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "SDK_CALLS": str(place)})
        return gather(place.read_text().splitlines())


def gather(lines: Iterable[str]) -> Calls:
    """Sort recorded calls by SDK and action."""
    calls: Calls = defaultdict(lambda: defaultdict(set))
    for line in lines:
        call = json.loads(line)
        way = "Advance" if call["method"].lower().endswith("advance") else "plain"
        outcomes = calls[call["sdk"], action(call["method"])]
        outcomes["errors" if call["code"] else way].add(str(call["code"]))
    return calls


def action(method: str) -> str:
    """Return the vendor's name of an SDK's method."""
    stem = re.sub(r"(_?advance|_async|Request)$", "", method, flags=re.IGNORECASE)
    return "".join(part[:1].upper() + part[1:] for part in stem.split("_"))


def table(calls: Calls) -> str:
    """Write one table for each API version."""
    parts = []
    for generation in reversed(GENERATIONS.values()):
        if generation is PLATFORM:
            continue
        sdks = [s for s in SDKS if VERSION.get(s, s[:10]) == generation.version]
        parts.append(f"**{generation.version}**\n")
        parts.append(f"| Operation | {' | '.join(SDKS[s] for s in sdks)} |")
        parts.append("|---|" + "---|" * len(sdks))
        for name in OPERATIONS[generation]:
            cells = [cell(calls.get((sdk, name), {})) for sdk in sdks]
            parts.append(f"| {name} | {' | '.join(cells)} |")
        parts.append("")
    return "\n".join(parts)


def cell(outcomes: dict[str, set[str]]) -> str:
    """Say how the calls of one SDK and operation went."""
    words = [way for way in ("plain", "Advance") if way in outcomes]
    worked = f"✓ {' and '.join(words)}" if words else ""
    codes = ", ".join(sorted(outcomes.get("errors", ())))
    return "; ".join(part for part in (worked, codes) if part) or "–"


def main() -> None:
    """Replace the tables of the page."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table(run())}\n{END}{after}")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
