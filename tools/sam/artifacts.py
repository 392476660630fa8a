"""Build one function or layer of ``template.yaml`` into the folder SAM names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tools.sam import runtime_layer
from tools.sam.bytecode import compile_tree

__all__ = ["build"]

_MOMENT = 315_532_800  # 1980-01-01, the earliest time a zip file can say


def build(name: str, target: Path, *, architecture: str) -> None:
    """Build the resource ``name``; the same sources give the same bytes and times."""
    target.mkdir(parents=True, exist_ok=True)
    if name == "RuntimeLayer":
        runtime_layer.build(target, architecture=architecture)
    elif name == "PackageLayer":
        _copy(Path("layers/imagesearch/imagesearch"), target / "python/imagesearch")
        compile_tree(target / "python", mounted="/opt/python")
    elif name == "ModelsLayer":
        _copy(Path("layers/models"), target / "models")
    elif name == "WordsLayer":
        from tools.sam import words_layer  # needs the package installed

        words_layer.build(target)
    else:
        _copy(Path("functions") / _folder(name), target)
        compile_tree(target, mounted="/var/task")
    _settle(target)


def _folder(name: str) -> str:
    """Return the folder of a function: ``Rank1Function`` is in ``functions/rank``."""
    return name.removesuffix("Function").rstrip("0123456789").lower()


def _copy(source: Path, target: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "README.md")
    shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)


def _settle(target: Path) -> None:
    """Give every file the same time and plain permissions, so that archives repeat."""
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_MOMENT, _MOMENT))
