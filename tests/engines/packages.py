"""The packages that tools/engines/setup.sh puts beside .venv."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
WHY_NOT = "needs .venv-engines: run tools/engines/setup.sh"


def there(package: str) -> bool:
    """Tell whether a package can be imported, from .venv-engines if it is not in .venv."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    beside = str(_ROOT / ".venv-engines/lib" / version / "site-packages")
    if Path(beside).is_dir() and beside not in sys.path:
        sys.path.append(beside)
    return importlib.util.find_spec(package) is not None
