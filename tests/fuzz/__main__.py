"""Fuzz for a while; ends with status 1 if anything was found, which is then kept."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.engines import atheris_there, fuzz_by_coverage, fuzz_by_mutation

_LED = ("imagesearch", "PIL")


def main() -> int:
    """Run every harness in a process of its own: a crash of one is a finding, not the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("harness", nargs="*", help="which (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each harness")
    parser.add_argument("--seed", type=int, default=0, help="to repeat a run (default: chance)")
    parser.add_argument("--most", type=int, default=0, help="inputs for each harness")
    parser.add_argument("--corpus", type=Path, help="a folder to keep what was learnt")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        return _inside(given)
    from tests.fuzz.registry import HARNESSES

    way = "led by coverage (atheris)" if atheris_there() else "by mutation: atheris is not there"
    sys.stdout.write(f"fuzzing {way}, {given.seconds:g} s for each harness\n")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        corpus = given.corpus or Path(folder)
        names = given.harness or HARNESSES
        bad = [name for name in names if _run(name, given, corpus)]
    sys.stdout.write(f"found something in: {', '.join(bad)}\n" if bad else "nothing found\n")
    return 1 if bad else 0


def _run(name: str, given: argparse.Namespace, corpus: Path) -> int:
    command = [sys.executable, "-m", "tests.fuzz", name, "--inside"]
    command += ["--seconds", str(given.seconds), "--corpus", str(corpus)]
    command += ["--seed", str(given.seed), "--most", str(given.most)]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    said = done.stdout + done.stderr
    tried = re.findall(r"(?:number_of_executed_units:|tried|Done) +(\d+)", said)
    spent = time.monotonic() - began
    state = "ok" if not done.returncode else f"FOUND SOMETHING (status {done.returncode})"
    sys.stdout.write(
        f"{name:10} {int(tried[-1]) if tried else 0:>10,} inputs {spent:4.0f} s {state}\n"
    )
    sys.stdout.flush()
    if done.returncode:
        telling = [line for line in said.splitlines() if not line.startswith("INFO: ")]
        sys.stdout.write("\n".join(telling)[-6000:] + "\n")
    return done.returncode


def _inside(given: argparse.Namespace) -> int:
    name = given.harness[0]
    if not atheris_there():
        from tests.fuzz.registry import HARNESSES

        most = given.most or 10**9
        tried = fuzz_by_mutation(HARNESSES[name], given.seconds, seed=given.seed, most=most)
        sys.stdout.write(f"tried {tried}\n")
        return 0
    import atheris

    with atheris.instrument_imports(include=list(_LED)):
        from tests.fuzz.registry import HARNESSES
    fuzz_by_coverage(HARNESSES[name], given.seconds, given.corpus, seed=given.seed, most=given.most)
    return 0


if __name__ == "__main__":
    sys.exit(main())
