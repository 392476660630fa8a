"""How fast the models alone are."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

__all__ = ["Bare", "bare"]


@dataclass(frozen=True, slots=True)
class Bare:
    """Pictures per second on all processes together, and processor time of one (ms)."""

    rate: float
    cpu_ms: float


MODELS = Path(__file__).parents[2] / "layers/models"


def _bare(bodies: list[bytes], light: bool) -> tuple[float, float]:
    """Return the seconds, on the clock and of the processor, that looking at pictures takes."""
    from imagesearch.catalogue import Region, Service
    from imagesearch.vision import Vision

    vision = Vision.load(MODELS)
    options: dict[str, Any] = {"region": Region(0, 64, 0, 64), "category_id": 5} if light else {}
    vision.look(bodies[0], Service.PRODUCT, **options)
    began, used = time.perf_counter(), time.process_time()
    for body in bodies:
        vision.look(body, Service.PRODUCT, **options)
    return time.perf_counter() - began, time.process_time() - used


def bare(bodies: list[bytes], *, light: bool, processes: int) -> Bare:
    """Measure the models alone on that many processes."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        spent = list(pool.map(_bare, [bodies] * processes, [light] * processes))
    rate = sum(len(bodies) / seconds for seconds, _ in spent)
    return Bare(rate, 1000 * sum(used for _, used in spent) / len(bodies) / processes)
