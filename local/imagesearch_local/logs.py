"""The logs of a local run: a few files in one folder, and the screen if asked."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

__all__ = ["FRONT", "FUNCTIONS", "SERVICE", "STORAGE", "open_logs"]

_ROOT = "imagesearch_local"
SERVICE = logging.getLogger(f"{_ROOT}.service")
FRONT = logging.getLogger(f"{_ROOT}.front")
STORAGE = logging.getLogger(f"{_ROOT}.storage")
FUNCTIONS = logging.getLogger(f"{_ROOT}.functions")

_FILES = {
    "service.log": (SERVICE, logging.getLogger("uvicorn")),
    "requests.log": (FRONT,),
    "storage.log": (STORAGE,),
    "functions.log": (FUNCTIONS,),
}
_FILE_BYTES = 20_000_000


def open_logs(folder: Path, *, verbose: bool) -> None:
    """Write each logger to its file in ``folder``; to standard error too if ``verbose``.

    A file that reaches 20 MB is kept as ``NAME.1`` and begun anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    screen = logging.StreamHandler()
    screen.setFormatter(logging.Formatter("%(name)s %(message)s"))
    for name, loggers in _FILES.items():
        file = RotatingFileHandler(
            folder / name, maxBytes=_FILE_BYTES, backupCount=1, encoding="utf-8", delay=True
        )
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        for logger in loggers:
            logger.handlers = [file, screen] if verbose else [file]
            logger.setLevel(logging.INFO)
            logger.propagate = False
