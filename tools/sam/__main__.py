"""``python -m tools.sam build|pin|lock|sizes|costs``: what the makefiles and the documents call."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tools.sam import artifacts, costs, lock, sizes
from tools.sam.pin import pin
from tools.sam.runtime_layer import ARCHITECTURES


def main() -> None:
    """Read the command line and do the one thing it asks for."""
    parser = argparse.ArgumentParser(prog="python -m tools.sam", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    build = verbs.add_parser("build", help="build one function or layer of template.yaml")
    build.add_argument("name")
    build.add_argument("target", type=Path)
    pinned = verbs.add_parser("pin", help="let a build be deployed for its own processor only")
    pinned.add_argument("folder", type=Path, nargs="?", default=Path(".aws-sam/build"))
    for verb in (build, pinned):
        verb.add_argument(
            "--architecture",
            choices=ARCHITECTURES,
            default=os.environ.get("ARCHITECTURE") or "x86_64",
        )
    verbs.add_parser("lock", help="write layers/runtime/requirements.txt anew")
    verbs.add_parser("costs", help="print what requests cost, for docs/costs.md")
    report = verbs.add_parser("sizes", help="report the unzipped sizes of a build")
    report.add_argument("folder", type=Path, nargs="?", default=Path(".aws-sam/build"))
    given = parser.parse_args()
    if given.verb == "build":
        artifacts.build(given.name, given.target, architecture=given.architecture)
    elif given.verb == "pin":
        pin(given.folder, given.architecture)
    elif given.verb == "lock":
        lock.relock()
    elif given.verb == "costs":
        print(costs.table())
    else:
        raise SystemExit(sizes.report(given.folder))


if __name__ == "__main__":
    main()
