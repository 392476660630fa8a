"""Find the Python that Lambda runs, to compile for it and to try what was built.

``python -m tools.sam.interpreter`` prints it, or says what to do and fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["ADVICE", "VERSION", "find"]

VERSION = "3.13"
ADVICE = (
    f"no Python {VERSION} found (tried $PYTHON313, PATH, pyenv, uv); install one, for example with "
    f"`uv python install {VERSION}` or `pyenv install {VERSION}`"
)


@cache
def find() -> Path | None:
    """Return a Python of the minor version that the functions run on, or ``None``."""
    return next((path for path in _candidates() if _fits(path)), None)


def _candidates() -> Iterator[Path]:
    for found in (os.environ.get("PYTHON313"), shutil.which(f"python{VERSION}")):
        if found:
            yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
    yield from sorted(pyenv.glob(f"versions/{VERSION}.*/bin/python"), reverse=True)
    yield from sorted(uv.glob(f"cpython-{VERSION}.*/bin/python{VERSION}"), reverse=True)


def _fits(path: Path) -> bool:
    """Tell whether ``path`` runs and is the version; bytecode is the same for all its patches."""
    asked = "import sys; print(f'{sys.version_info[0]}.{sys.version_info[1]}')"
    try:
        answer = subprocess.run(
            [path, "-I", "-c", asked], capture_output=True, text=True, timeout=30, check=False
        )
    except OSError:
        return False
    return answer.stdout.strip() == VERSION


if __name__ == "__main__":
    print(find() or ADVICE)
    sys.exit(find() is None)
