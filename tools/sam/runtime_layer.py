"""Build the layer of third-party packages: install, prune, strip, compile, try.

No container is needed: pip fetches the wheels of the processor that is asked for, each checked
against the hash in ``requirements.txt``. The same sources give the same bytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.sam import interpreter
from tools.sam.bytecode import compile_tree
from tools.sam.elf import is_shared_object, loaded_only

__all__ = ["ARCHITECTURES", "HOME", "build", "pip_platform"]

HOME = Path("layers/runtime")

ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's name of each processor, and the one in wheel names and ``uname -m``."""

# Amazon Linux 2023 has glibc 2.34; a wheel that wants a newer one would not load.
_GLIBC = ("2_34", "2_28", "2_27", "2_26", "2_17")


def build(target: Path, *, architecture: str) -> None:
    """Fill ``target`` with the layer for ``architecture``, one of :data:`ARCHITECTURES`."""
    packages = target / "python"
    shutil.rmtree(packages, ignore_errors=True)
    _install(packages, architecture)
    _prune(packages)
    for library in _shared_objects(packages):
        library.write_bytes(loaded_only(library.read_bytes()))
    _try(packages, architecture)
    compile_tree(packages, mounted="/opt/python")


def pip_platform(architecture: str) -> list[str]:
    """Return pip's options for wheels that Lambda's Python on ``architecture`` can load."""
    machine = ARCHITECTURES[architecture]
    tags = [*(f"manylinux_{glibc}_{machine}" for glibc in _GLIBC), f"manylinux2014_{machine}"]
    return [
        "--no-deps",
        "--only-binary=:all:",
        f"--python-version={interpreter.VERSION}",
        "--implementation=cp",
        *(f"--platform={tag}" for tag in tags),
    ]


def _install(packages: Path, architecture: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    command += ["--disable-pip-version-check", "--require-hashes", f"--target={packages}"]
    command += [*pip_platform(architecture), f"--requirement={HOME / 'requirements.txt'}"]
    subprocess.run(command, check=True)


def _prune(packages: Path) -> None:
    for pattern in _patterns():
        for found in sorted(packages.glob(pattern), reverse=True):
            if found.is_dir():
                shutil.rmtree(found)
            else:
                found.unlink(missing_ok=True)


def _patterns() -> Iterator[str]:
    for line in (HOME / "prune.txt").read_text("utf-8").splitlines():
        pattern = line.partition("#")[0].strip()
        if pattern:
            yield pattern


def _shared_objects(packages: Path) -> Iterator[Path]:
    for path in sorted(packages.rglob("*.so*")):
        if path.is_file() and is_shared_object(path.read_bytes()):
            yield path


def _try(packages: Path, architecture: str) -> None:
    """Run the smoke checks on what is left, where this machine can."""
    python = interpreter.find()
    if python is None:
        print(f"SKIPPED smoke checks: {interpreter.ADVICE}", file=sys.stderr)
        return
    if ARCHITECTURES[architecture] != os.uname().machine:
        print(f"SKIPPED smoke checks: this machine cannot run {architecture}", file=sys.stderr)
        return
    subprocess.run(
        [python, "-B", "-s", Path("tools/sam/smoke.py")],
        check=True,
        env={"PYTHONPATH": str(packages.resolve()), "PATH": os.environ.get("PATH", "")},
    )
