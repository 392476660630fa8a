"""USearch and ONNX Runtime live in one process, whichever comes first."""

from __future__ import annotations

import subprocess
import sys

import pytest

USE_GRAPH = """
import numpy as np
from imagesearch.index.graph import Graph, build_graph
rows = np.random.default_rng(1).integers(-127, 128, (64, 512)).astype(np.int8)
graph = Graph("seg/x", memoryview(build_graph(rows)), 64)
assert 5 in graph.nearest(rows[5])
"""
USE_NETWORKS = "import onnxruntime"


@pytest.mark.parametrize(
    "program",
    [f"{USE_GRAPH}\n{USE_NETWORKS}", f"{USE_NETWORKS}\n{USE_GRAPH}"],
    ids=["graph first", "networks first"],
)
def test_the_order_of_imports_does_not_matter(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr or f"ended by signal {-done.returncode}"
