"""Build the layer that functions need to search with Milvus: pymilvus and what it imports.

``python -m tools.engines.milvus_layer FOLDER`` writes ``FOLDER/milvus.zip``. numpy is not in it,
the runtime layer brings it. The same sources give the same tree.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.sam import interpreter
from tools.sam.bytecode import compile_tree
from tools.sam.elf import is_shared_object, loaded_only
from tools.sam.runtime_layer import ARCHITECTURES, pip_platform

__all__ = ["main"]

_REQUIREMENTS = Path(__file__).with_suffix(".txt")
_UNUSED = (
    "bin",
    "pandas/tests",
    "**/*.pyi",
    "**/*.h",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.proto",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
)
_TRIED = "import pymilvus, grpc; pymilvus.MilvusClient.create_schema()"


def main() -> None:
    """Build it and tell its size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="x86_64")
    parser.add_argument("--runtime", type=Path, help="a built runtime layer, to try it with")
    given = parser.parse_args()
    packages = given.folder / "python"
    shutil.rmtree(packages, ignore_errors=True)
    _install(packages, given.architecture)
    for found in sorted((p for glob in _UNUSED for p in packages.glob(glob)), reverse=True):
        shutil.rmtree(found) if found.is_dir() else found.unlink()
    for library in sorted(packages.rglob("*.so*")):
        if library.is_file() and is_shared_object(library.read_bytes()):
            library.write_bytes(loaded_only(library.read_bytes()))
    if given.runtime:
        _try(packages, given.runtime / "python")
    compile_tree(packages, mounted="/opt/python")
    zipped = shutil.make_archive(str(given.folder / "milvus"), "zip", given.folder, "python")
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file())
    print(f"{zipped}: {size / 1e6:.0f} MB unzipped, {Path(zipped).stat().st_size / 1e6:.0f} zipped")


def _install(packages: Path, architecture: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    command += ["--disable-pip-version-check", "--require-hashes", f"--target={packages}"]
    command += [*pip_platform(architecture), f"--requirement={_REQUIREMENTS}"]
    subprocess.run(command, check=True)


def _try(packages: Path, runtime: Path) -> None:
    """Import it with a runtime layer, by the Python that functions run on."""
    python = interpreter.find()
    if python is None:
        raise SystemExit(interpreter.ADVICE)
    paths = os.pathsep.join(str(path.resolve()) for path in (packages, runtime))
    subprocess.run([python, "-B", "-s", "-c", _TRIED], check=True, env={"PYTHONPATH": paths})


if __name__ == "__main__":
    main()
