"""A bundle with a network of a few bytes, in which cause and effect can be seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from imagesearch.catalogue import CATEGORIES
from onnx import TensorProto, helper, numpy_helper

MODELS = Path(__file__).parents[2] / "layers/models"
SIDE = 64


def network() -> onnx.ModelProto:
    """Return a network: the subject is what is darker than white, the vector a thumbnail."""
    chance = np.random.default_rng(7)
    constants = {
        "three": np.array([3], np.int64),
        "white": np.float32(255),
        "spread": chance.normal(size=(768, 512)).astype(np.float32),
        "heads": chance.normal(size=(768, len(CATEGORIES))).astype(np.float32) / 2000,
        "flat": np.array([0, 768], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("ReduceMean", ["small"], ["grey"], axes=[1], keepdims=0),
        helper.make_node("Sub", ["white", "grey"], ["dark"]),
        helper.make_node("Div", ["dark", "white"], ["mask"]),
        helper.make_node("Reshape", ["small", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "spread"], ["embedding"]),
        helper.make_node("MatMul", ["row", "heads"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["category"], axis=1),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", SIDE, SIDE, 3])
    outputs = [
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", 16, 16]),
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 512]),
        helper.make_tensor_value_info("category", TensorProto.FLOAT, ["n", len(CATEGORIES)]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [image],
        outputs,
        [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def description() -> dict[str, Any]:
    """Return the ``bundle.json`` that goes with :func:`network`, without its files."""
    pixels = {"input": "image", "type": "uint8", "layout": "nhwc"}
    recipe = {"parts": [{"output": "embedding", "weight": 1.0}], "map": None, "views": ["plain"]}
    return {
        "id": "tiny-1",
        "format": 1,
        "embedder": {
            "file": "tiny.onnx",
            "pixels": pixels,
            "side": SIDE,
            "margin": 0.04,
            "resize": "bicubic",
            "outputs": {"embedding": 512, "category": len(CATEGORIES)},
        },
        "subject": {
            "file": "tiny.onnx",
            "pixels": pixels,
            "side": SIDE,
            "resize": "bicubic",
            "output": "mask",
            "enlarge": 1,
            "threshold": 0.5,
            "keep": 0.6,
            "further": 0.2,
            "smallest": 0.02,
            "largest": 0.95,
            "unsure": 0.1,
        },
        "services": dict.fromkeys(("product", "generic", "fabric", "trademark"), recipe),
        "categories": {"output": "category", "ids": list(CATEGORIES), "unsure": 0.0},
        "calibration": {"product": {"points": [[0.2, 0.0], [0.6, 0.5], [0.9, 1.0]]}},
    }


def write(folder: Path, files: dict[str, bytes], about: dict[str, Any]) -> Path:
    """Write a bundle folder with the digests that its files have."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    cards = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in files.items()
    }
    (folder / "bundle.json").write_text(json.dumps({"files": cards, **about}))
    return folder


@pytest.fixture(scope="session")
def tiny_file() -> bytes:
    return network().SerializeToString()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, tiny_file: bytes) -> Path:
    """The folder of a sound bundle."""
    return write(tmp_path_factory.mktemp("tiny"), {"tiny.onnx": tiny_file}, description())


@pytest.fixture
def bundle(tmp_path: Path, tiny_file: bytes) -> Callable[..., Path]:
    """Return a maker of bundles that differ from the sound one in what is given."""

    def make(files: dict[str, bytes] | None = None, **changes: Any) -> Path:
        about = {**description(), **changes}
        return write(tmp_path / "bundle", files or {"tiny.onnx": tiny_file}, about)

    return make


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The folder of the bundle that the project ships."""
    if not (MODELS / "bundle.json").exists():
        pytest.skip("layers/models has no bundle.json: run python -m tools.models build")
    return MODELS
