"""The subject decoder as ONNX nodes: three feature maps of Lite0 → mask at stride 4.

Width 64. ``DS(k)`` = x + ReLU(1×1(ReLU(depthwise k×k(x)))), batch norms folded. s32 (with its mean
over the map
added through a linear layer) → DS5 ×2 → twice as large + s16 → DS5 ×2 → twice as large + s8 → DS5,
DS3 → 1×1 to 4 channels → pixel shuffle → sigmoid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.models.graph import Graph

__all__ = ["BLOCKS_S8", "BLOCKS_S16", "BLOCKS_S32", "add_decoder"]

Weights = Mapping[str, NDArray[Any]]

BLOCKS_S32 = (("s32_a", 5), ("s32_b", 5))
BLOCKS_S16 = (("s16_a", 5), ("s16_b", 5))
BLOCKS_S8 = (("s8_a", 5), ("s8_b", 3))
"""Names and kernel sizes of the blocks at each stride."""


def add_decoder(graph: Graph, weights: Weights) -> None:
    """Add the decoder after the maps ``s8``, ``s16``, ``s32``; its output is ``mask`` [n, h, w]."""
    whole = graph.node("ReduceMean", _normal(graph, weights, "s32"), axes=[2, 3], keepdims=1)
    context = _convolve(graph, weights, whole, "context")
    x = graph.node("Add", _side(graph, weights, "s32"), context)
    x = _blocks(graph, weights, graph.node("Relu", x), BLOCKS_S32)
    x = _join(graph, weights, x, "s16")
    x = _blocks(graph, weights, x, BLOCKS_S16)
    x = _join(graph, weights, x, "s8")
    x = _blocks(graph, weights, x, BLOCKS_S8)
    x = _convolve(graph, weights, x, "out")
    x = graph.node("DepthToSpace", x, blocksize=2, mode="CRD")
    axis = graph.weight("decoder/axis", np.array([1], np.int64))
    graph.node("Sigmoid", graph.node("Squeeze", x, axis), name="mask")


def _normal(graph: Graph, weights: Weights, source: str) -> str:
    name = f"decoder/{source}"
    mean = graph.weight(f"{name}.mean", weights[f"{source}.mean"][None, :, None, None], half=False)
    scale = graph.weight(
        f"{name}.scale", weights[f"{source}.scale"][None, :, None, None], half=False
    )
    return graph.node("Mul", graph.node("Sub", source, mean), scale)


def _side(graph: Graph, weights: Weights, source: str) -> str:
    return _convolve(graph, weights, _normal(graph, weights, source), f"in_{source}")


def _join(graph: Graph, weights: Weights, x: str, source: str) -> str:
    scales = graph.weight("decoder/twice", np.array([1, 1, 2, 2], np.float32), half=False)
    larger = graph.node(
        "Resize", x, "", scales, mode="linear", coordinate_transformation_mode="half_pixel"
    )
    return graph.node("Relu", graph.node("Add", larger, _side(graph, weights, source)))


def _blocks(graph: Graph, weights: Weights, x: str, blocks: tuple[tuple[str, int], ...]) -> str:
    for name, _ in blocks:
        deep = graph.node("Relu", _convolve(graph, weights, x, f"{name}.depthwise"))
        point = graph.node("Relu", _convolve(graph, weights, deep, f"{name}.pointwise"))
        x = graph.node("Add", x, point)
    return x


def _convolve(graph: Graph, weights: Weights, x: str, name: str) -> str:
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    kernel = weight.shape[2]
    return graph.node(
        "Conv",
        x,
        graph.weight(f"decoder/{name}.weight", weight),
        graph.weight(f"decoder/{name}.bias", bias, half=False),
        kernel_shape=[kernel, kernel],
        pads=[kernel // 2] * 4,
        group=weight.shape[0] if weight.shape[1] == 1 else 1,
    )
