"""Measure what one look costs on one core, by stage, and whether batches would help.

    python -m evaluation.stages [--bundle FOLDER] [--looks N]

The picture is a drawn scene of one megapixel, saved as a JPEG of quality 85. Times are CPU
milliseconds of the looking thread, the median of the looks. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
from pathlib import Path

import numpy as np
from imagesearch.catalogue import Service
from imagesearch.vision import Vision
from imagesearch.vision.bundle import Bundle
from imagesearch.vision.network import Network
from PIL import Image, ImageDraw, ImageFilter

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 1152, 868
BATCHES = (1, 2, 4, 8, 16)


def picture(seed: int) -> bytes:
    """Draw one object on a textured ground: as busy as a photograph, so as dear to decode."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(60, 200, (HEIGHT // 16, WIDTH // 16, 3), np.uint8)
    scene = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(scene)
    draw.ellipse((300, 200, 800, 700), fill=(180, 40, 30))
    draw.rectangle((480, 120, 620, 260), fill=(30, 60, 160))
    grain = chance.normal(0, 8, (HEIGHT, WIDTH, 3))
    values = np.asarray(scene.filter(ImageFilter.GaussianBlur(1))) + grain
    buffer = io.BytesIO()
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def by_stage(bundle: Bundle, service: Service, looks: int) -> dict[str, float]:
    """Return the median CPU milliseconds of each stage of a look, and of all."""
    vision = Vision(bundle, clock=time.thread_time)
    vision.warm()
    images = [picture(seed) for seed in range(5)]
    views = [vision.look(images[n % 5], service) for n in range(looks + 5)][5:]
    stages = {name: [v.took_ms[name] for v in views] for name in views[0].took_ms}
    stages["total"] = [sum(v.took_ms.values()) for v in views]
    return {name: round(statistics.median(ms), 2) for name, ms in stages.items()}


def by_batch(bundle: Bundle) -> dict[str, float]:
    """Return the least CPU milliseconds of the embedder for one picture, in batches of n."""
    spec = bundle.manifest.embedder
    network = Network(bundle.path(spec.file))
    chance = np.random.default_rng(0)
    squares = chance.integers(0, 256, (max(BATCHES), spec.side, spec.side, 3), np.uint8)
    outputs = list(spec.outputs)
    network.run(spec.pixels, squares[:1], outputs)
    least = {}
    for size in BATCHES:
        times = []
        for _ in range(5):
            began = time.thread_time()
            for at in range(0, len(squares), size):
                network.run(spec.pixels, squares[at : at + size], outputs)
            times.append((time.thread_time() - began) * 1000 / len(squares))
        least[str(size)] = round(min(times), 2)
    return least


def opening(folder: Path) -> dict[str, float]:
    """Return the wall milliseconds to check the bundle's files and to open its networks."""
    began = time.perf_counter()
    bundle = Bundle(folder)
    checked = time.perf_counter()
    Vision(bundle).warm()
    opened = time.perf_counter()
    return {
        "check": round((checked - began) * 1000, 1),
        "open": round((opened - checked) * 1000, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=ROOT / "layers/models")
    parser.add_argument("--looks", type=int, default=40)
    chosen = parser.parse_args()
    start = opening(chosen.bundle)
    bundle = Bundle(chosen.bundle)
    print(
        json.dumps(
            {
                "bundle": bundle.manifest.id,
                "megapixels": round(WIDTH * HEIGHT / 1e6, 2),
                "cpu_ms": {s.value: by_stage(bundle, s, chosen.looks) for s in Service},
                "embedder_cpu_ms_by_batch": by_batch(bundle),
                "load_ms": start,
            }
        )
    )


if __name__ == "__main__":
    main()
