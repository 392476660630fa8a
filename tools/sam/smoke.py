"""Use every package of the runtime layer once, after it was stripped and pruned.

Run by the build with Python 3.13 and nothing but the layer on its path; exits 0 when all is well.
"""

import base64
import io
import logging
import sys
from collections.abc import Callable

# An ONNX model of one node, y = x + x.
_DOUBLING = base64.b64decode(
    "CAgSADo1Cg4KAXgKAXgSAXkiA0FkZBIBZ1oPCgF4EgoKCAgBEgQKAggCYg8KAXkSCgoICAESBAoCCAJCBAoAEA0="
)


def onnxruntime_runs_a_model() -> None:
    """Run a model of one node."""
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(_DOUBLING, providers=["CPUExecutionProvider"])
    (doubled,) = session.run(None, {"x": np.array([1, 2], np.float32)})
    assert list(doubled) == [2, 4], doubled


def usearch_finds_its_own_rows() -> None:
    """Index rows of each kind and find one."""
    import numpy as np
    import usearch.index

    rows = np.random.default_rng(7).normal(size=(64, 32)).astype(np.float32)
    for kind in ("f32", "i8", "b1"):
        index = usearch.index.Index(ndim=32, dtype=kind, metric="hamming" if kind == "b1" else "ip")
        stored = np.packbits(rows > 0, axis=1) if kind == "b1" else rows
        index.add(np.arange(64), stored)
        assert index.search(stored[5], 1).keys[0] == 5, kind


def numkong_measures() -> None:
    """Measure a Hamming distance."""
    import numkong
    import numpy as np

    row = np.arange(64, dtype=np.uint8)
    assert numkong.hamming(row, row) == 0


def numpy_multiplies_and_solves() -> None:
    """Solve a small system and transform a vector."""
    import numpy as np
    from numpy.typing import NDArray

    square: NDArray[np.float64] = np.array([[2.0, 1.0], [1.0, 3.0]])
    assert np.allclose(square @ np.linalg.solve(square, np.eye(2)), np.eye(2))
    assert np.fft.fft(np.ones(4))[0] == 4


def pillow_reads_every_format() -> None:
    """Write and read each picture format, and each TIFF compression."""
    from PIL import Image, ImageCms, ImageOps

    picture = Image.new("RGB", (40, 40), (200, 30, 60))
    for form in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM"):
        file = io.BytesIO()
        picture.save(file, form)
        Image.open(io.BytesIO(file.getvalue()), formats=[form]).convert("RGB").load()
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "group4"):
        file = io.BytesIO()
        (picture.convert("1") if compression == "group4" else picture).save(
            file, "TIFF", compression=compression
        )
        Image.open(io.BytesIO(file.getvalue())).load()
    ImageOps.exif_transpose(picture).resize((8, 8), Image.Resampling.BICUBIC)
    ImageCms.createProfile("sRGB")


def msgspec_and_powertools_work() -> None:
    """Encode, decode, log and count."""
    import msgspec
    from aws_lambda_powertools import Logger, Metrics

    assert msgspec.json.decode(msgspec.json.encode({"a": [1, 2]})) == {"a": [1, 2]}
    Logger(service="smoke", stream=io.StringIO()).info("works")
    Metrics(namespace="Smoke", service="smoke").add_metric("Works", "Count", 1)


CHECKS: tuple[Callable[[], None], ...] = (
    onnxruntime_runs_a_model,
    usearch_finds_its_own_rows,
    numkong_measures,
    numpy_multiplies_and_solves,
    pillow_reads_every_format,
    msgspec_and_powertools_work,
)


def main() -> int:
    """Run every check and return the exit status."""
    failed = 0
    for check in CHECKS:
        try:
            check()
        except Exception:
            logging.exception("%s failed", check.__name__)
            failed += 1
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} smoke checks passed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
