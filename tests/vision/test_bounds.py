"""What the worst picture may cost: memory, and processor time, measured in a process of its own.

The functions that look at pictures have 1769 MB and 30 s (template.yaml); what is within the
limits of sides and bytes may exceed neither. The bounds are generous: they catch a mistake that
makes the cost grow with something else than the pixels.
"""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from imagesearch.vision.picture import MAX_BYTES, MAX_SIDE
from PIL import Image

from tests.vision import corpus

MEGABYTES = 1200
"""The worst, WEBP, takes 1060: Pillow's decoder holds three frames beside the picture."""
SECONDS = 20.0
SIDE = MAX_SIDE
ROOT = Path(__file__).parents[2]

LOOK = r"""
import json, resource, sys, time
from imagesearch.catalogue import Region
from imagesearch.errors import PictureError
from imagesearch.vision.picture import Original

def held(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))

limit = int(sys.argv[1])
if limit:
    room = int(held("VmSize") + limit) << 20
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
image = sys.stdin.buffer.read()
before, began = held("VmRSS"), time.process_time()
try:
    original = Original.open(image)
    corner = Region(0, min(300, original.width), 0, min(300, original.height))
    for region in (original.whole, corner):
        assert original.crop(region, 224).shape == (224, 224, 3)
    outcome = "seen"
except PictureError as refusal:
    outcome = type(refusal).__name__
print(json.dumps([outcome, held("VmHWM") - before, time.process_time() - began]))
"""


def cost(image: bytes, *, limit: int = 0) -> tuple[str, float, float]:
    """Return how a picture ends, and the memory (MB) and processor time (s) that took.

    ``limit`` bounds the memory (MB) that it may have beyond what the process begins with.
    """
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(limit)],
        input=image,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr.decode()
    outcome, megabytes, seconds = json.loads(done.stdout)
    return outcome, megabytes, seconds


def blank(mode: str, kind: str, side: int = SIDE, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (side, side)).save(buffer, kind, **options)
    return buffer.getvalue()


def _deep_png() -> bytes:
    """RGBA of 16 bits: half a gigabyte of samples in a few hundred kilobytes."""
    row = bytes(1 + 8 * SIDE)
    packer = zlib.compressobj(1)
    body = b"".join(packer.compress(row * 64) for _ in range(SIDE // 64)) + packer.flush()
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 16, 6, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(corpus.chunk(*part) for part in parts)


def _frames(kind: str, count: int, side: int, **options: object) -> bytes:
    frames = [Image.new("P" if kind == "GIF" else "RGB", (side, side), n) for n in range(count)]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], **options)
    return buffer.getvalue()


def _noise() -> bytes:
    """As many bytes as are taken, none of which can be skipped."""
    pixels = np.random.default_rng(1).integers(0, 256, (2500, 2600, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=0)
    assert 0.9 * MAX_BYTES < len(buffer.getvalue()) <= MAX_BYTES
    return buffer.getvalue()


WORST: Mapping[str, Callable[[], bytes]] = {
    "PNG, RGBA": lambda: blank("RGBA", "PNG", compress_level=1),
    "PNG, RGBA of 16 bits": _deep_png,
    "PNG, palette": lambda: blank("P", "PNG", 4096, compress_level=1, transparency=0),
    "PNG, 20 MB of noise": _noise,
    "JPEG, progressive CMYK": lambda: blank("CMYK", "JPEG", progressive=True),
    "WEBP, RGBA": lambda: blank("RGBA", "WEBP", lossless=True, method=0),
    "WEBP, 60 frames": lambda: _frames("WEBP", 60, 1024, lossless=True, method=0),
    "GIF, 60 frames": lambda: _frames("GIF", 60, 1024),
    "TIFF, numbers": lambda: blank("F", "TIFF", compression="tiff_adobe_deflate"),
    "TIFF, 1000 pages": lambda: _frames("TIFF", 1000, 32),
}


@pytest.mark.parametrize("name", WORST)
def test_the_worst_picture_costs_no_more_than_this(name: str) -> None:
    image = WORST[name]()
    assert len(image) <= MAX_BYTES
    outcome, megabytes, seconds = cost(image)
    assert outcome == "seen"
    assert megabytes < MEGABYTES
    assert seconds < SECONDS


@pytest.mark.parametrize("name", ["PNG, RGBA", "WEBP, RGBA"])
def test_where_memory_is_short_the_picture_is_refused_and_the_process_lives(name: str) -> None:
    outcome, _, _ = cost(WORST[name](), limit=90)
    assert outcome in {"PictureBomb", "DamagedPicture"}


HEAVY = (
    "PNG with a text bomb",
    "JPEG of 2000 scans",
    "JPEG with a heavy Exif table",
    "TIFF with heavy strips",
)


@pytest.mark.parametrize("name", HEAVY)
def test_a_hostile_picture_costs_little(name: str) -> None:
    _, megabytes, seconds = cost(next(image for own, image in corpus.hostile() if own == name))
    assert megabytes < MEGABYTES / 4
    assert seconds < SECONDS
