"""Start the search function's module in this very process and print the CPU time of each stage.

Run by ``python -m benchmarks.coldstart`` in a fresh Python 3.13 with the built layers on its path.
Every stage is what it adds to those before it; the sum is what Lambda's init phase would take of
one core of this machine.
"""

import json
import time

_marks = [("start of Python", time.process_time())]


def _stage(name: str) -> None:
    _marks.append((name, time.process_time()))


import numpy  # noqa: E402, F401, ICN001

_stage("numpy")
import PIL.Image  # noqa: E402, F401

_stage("Pillow")
import onnxruntime  # noqa: E402, F401

_stage("ONNX Runtime")
import msgspec  # noqa: E402, F401

_stage("msgspec")
from imagesearch.storage.lean import open_store  # noqa: E402

open_store("bucket", endpoint=None)
_stage("S3 client")
from imagesearch.observe import logger  # noqa: E402

logger()
_stage("logger")
from imagesearch.operations import search  # noqa: E402, F401
from imagesearch.operations.deployment import Deployment  # noqa: E402

_stage("our modules")
_warm = Deployment.warm


def _timed(self: Deployment) -> None:
    before = time.process_time()
    _warm(self)
    _timed.cpu = time.process_time() - before  # type: ignore[attr-defined]


Deployment.warm = _timed  # type: ignore[method-assign]
import app  # type: ignore[import-not-found]  # noqa: E402, F401

_stage("app.py")

if __name__ == "__main__":
    found: dict[str, float] = {}
    before = 0.0
    for name, cpu in _marks:
        found[name] = cpu - before
        before = cpu
    models = getattr(_timed, "cpu", 0.0)
    found["app.py"] -= models
    found["models"] = models
    print(json.dumps({"stages": found, "total": before}))
