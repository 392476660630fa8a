"""How fast the models alone are."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

__all__ = ["bare_rate"]

MODELS = Path(__file__).parents[2] / "layers/models"


def _bare(bodies: list[bytes], light: bool) -> float:
    """Return the seconds that looking at pictures takes in one process."""
    from imagesearch.catalogue import Region, Service
    from imagesearch.vision import Vision

    vision = Vision.load(MODELS)
    options: dict[str, Any] = {"region": Region(0, 64, 0, 64), "category_id": 5} if light else {}
    vision.look(bodies[0], Service.PRODUCT, **options)
    began = time.perf_counter()
    for body in bodies:
        vision.look(body, Service.PRODUCT, **options)
    return time.perf_counter() - began


def bare_rate(bodies: list[bytes], *, light: bool, processes: int) -> float:
    """Return the pictures per second of the models alone, on that many processes."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        spent = list(pool.map(_bare, [bodies] * processes, [light] * processes))
    return sum(len(bodies) / seconds for seconds in spent)
