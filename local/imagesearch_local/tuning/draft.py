"""Write a bundle that differs from another one in the map and calibration of one service."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from imagesearch.catalogue import Service
from imagesearch.vision import Vision
from numpy.typing import NDArray

__all__ = ["Draft"]

_DIGITS = 8
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Draft:
    """The bundle in folder ``base`` with the arrays ``mean`` and ``matrix`` for ``service``."""

    base: Path
    service: Service
    fitted: Mapping[str, NDArray[np.float32]]

    def write(self, out: Path, name: str, points: list[list[float]] | None = None) -> str:
        """Write the bundle into ``out`` and return its id: ``name`` and a digest of its content.

        ``points`` are the service's new calibration.
        """
        out.mkdir(parents=True, exist_ok=True)
        about: dict[str, Any] = json.loads((self.base / "bundle.json").read_text(encoding="utf-8"))
        for file in about["files"]:
            shutil.copyfile(self.base / file, out / file)
        archive = f"tuned-{self.service.value}.npz"
        arrays: dict[str, Any] = {n: v.astype(np.float16) for n, v in self.fitted.items()}
        np.savez(out / archive, **arrays)
        about["files"][archive] = _card(out / archive)
        where = {"file": archive, "mean": "mean", "matrix": "matrix"}
        about["services"][self.service.value]["map"] = where
        if points:
            about.setdefault("calibration", {})[self.service.value] = {"points": points}
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:_DIGITS]
        about["id"] = f"{name[: _LONGEST - _DIGITS - 1].lower()}-{digest}"
        (out / "bundle.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        Vision.load(out).warm()
        return str(about["id"])


def _card(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
