"""Compile Python files ahead of time.

``/opt`` and ``/var/task`` are read-only in Lambda, so what is not compiled in the build is
compiled anew in every cold start; that doubles the time imports take.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.sam import interpreter

__all__ = ["compile_tree", "uncompiled"]


def compile_tree(tree: Path, *, mounted: str) -> bool:
    """Compile every module under ``tree``, which Lambda will show at ``mounted``.

    The bytecode is never checked against its source again (``unchecked-hash``), so the times that
    unzipping sets do not matter. Returns False, and says so, where no fitting Python is found:
    the build is then right but starts more slowly.
    """
    python = interpreter.find()
    if python is None:
        print(f"SKIPPED compiling {tree.name}: {interpreter.ADVICE}", file=sys.stderr)
        return False
    command = [str(python), "-I", "-m", "compileall", "-q", "-f", "-j1", str(tree)]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(tree), "-p", mounted]
    # One worker, one hash seed: the same source then gives the same bytes.
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    return True


def uncompiled(tree: Path) -> list[Path]:
    """Return the modules under ``tree`` that have no bytecode for Lambda's Python."""
    tag = "cpython-" + interpreter.VERSION.replace(".", "")
    return [
        source
        for source in sorted(tree.rglob("*.py"))
        if not (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").exists()
    ]
