"""The subject decoder as ONNX nodes: feature maps of Lite0 → mask at stride 4.

``DS(k)`` = x + ReLU(1×1(ReLU(depthwise k×k(x)))), batch norms folded. s32 and the head's map, what
Lite0 tells its classes by, each with its mean over the map added through a linear layer → DS5 ×2 →
1×1, twice as large, + s16 → DS5 ×2 → 1×1, twice as large, + s8 → DS5, DS3 → 1×1 to 4 channels →
pixel shuffle → sigmoid. The weights know the widths; without weights of the head's map it is left
out, without those of a 1×1 between two strides so is this.

Several decoders may work together: their masks' mean is the mask. The arrays of each are then named
``<decoder>/<array>``; what makes the maps normal is the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.models.graph import Graph
from tools.models.lite import Maps

__all__ = ["BLOCKS_S8", "BLOCKS_S16", "BLOCKS_S32", "add_decoder"]

Weights = Mapping[str, NDArray[Any]]

BLOCKS_S32 = (("s32_a", 5), ("s32_b", 5))
BLOCKS_S16 = (("s16_a", 5), ("s16_b", 5))
BLOCKS_S8 = (("s8_a", 5), ("s8_b", 3))
"""Names and kernel sizes of the blocks at each stride."""


def add_decoder(graph: Graph, maps: Maps, weights: Weights) -> None:
    """Add the decoder after the ``maps``; its output is ``mask`` [n, h, w]."""
    masks = [_mask(graph, maps, _Named(weights, of)) for of in _decoders(weights)]
    axis = graph.weight("decoder/axis", np.array([1], np.int64))
    mean = graph.node("Mean", *masks) if len(masks) > 1 else masks[0]
    graph.node("Squeeze", mean, axis, name="mask")


def _decoders(weights: Weights) -> list[str]:
    """Return what the arrays' names begin with, of each decoder."""
    return sorted({f"{name.split('/')[0]}/" for name in weights if "/" in name}) or [""]


@dataclass(frozen=True, slots=True)
class _Named:
    """The arrays of one of the decoders."""

    weights: Weights
    of: str

    def __contains__(self, name: str) -> bool:
        return self.of + name in self.weights

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.weights[name if name not in self else self.of + name]

    def in_graph(self, name: str) -> str:
        """Return the name of an array in the graph."""
        return f"decoder/{self.of if name in self else ''}{name}"


def _mask(graph: Graph, maps: Maps, weights: _Named) -> str:
    x = _coarsest(graph, maps, weights)
    x = _blocks(graph, weights, x, BLOCKS_S32)
    x = _join(graph, weights, x, "s16", maps.s16)
    x = _blocks(graph, weights, x, BLOCKS_S16)
    x = _join(graph, weights, x, "s8", maps.s8)
    x = _blocks(graph, weights, x, BLOCKS_S8)
    x = _convolve(graph, weights, x, "out")
    return graph.node("Sigmoid", graph.node("DepthToSpace", x, blocksize=2, mode="CRD"))


def _coarsest(graph: Graph, maps: Maps, weights: _Named) -> str:
    """Add what goes in at stride 32: maps, and their means over the whole picture."""
    s32 = _normal(graph, weights, "s32", maps.s32)
    parts = [(s32, "in_s32", "context")]
    if "in_head.weight" in weights:
        parts.append((maps.head, "in_head", "head_context"))
    summed = ""
    for map_, inner, outer in parts:
        whole = graph.node("ReduceMean", map_, axes=[2, 3], keepdims=1)
        near = _convolve(graph, weights, map_, inner)
        both = graph.node("Add", near, _convolve(graph, weights, whole, outer))
        summed = graph.node("Add", summed, both) if summed else both
    return graph.node("Relu", summed)


def _normal(graph: Graph, weights: _Named, source: str, map_: str) -> str:
    mean, scale = (
        graph.weight(weights.in_graph(name), weights[name][None, :, None, None], half=False)
        for name in (f"{source}.mean", f"{source}.scale")
    )
    return graph.node("Mul", graph.node("Sub", map_, mean), scale)


def _join(graph: Graph, weights: _Named, x: str, source: str, map_: str) -> str:
    if f"to_{source}.weight" in weights:
        x = _convolve(graph, weights, x, f"to_{source}")
    scales = graph.weight("decoder/twice", np.array([1, 1, 2, 2], np.float32), half=False)
    larger = graph.node(
        "Resize", x, "", scales, mode="linear", coordinate_transformation_mode="half_pixel"
    )
    finer = _convolve(graph, weights, _normal(graph, weights, source, map_), f"in_{source}")
    return graph.node("Relu", graph.node("Add", larger, finer))


def _blocks(graph: Graph, weights: _Named, x: str, blocks: tuple[tuple[str, int], ...]) -> str:
    for name, _ in blocks:
        deep = graph.node("Relu", _convolve(graph, weights, x, f"{name}.depthwise"))
        point = graph.node("Relu", _convolve(graph, weights, deep, f"{name}.pointwise"))
        x = graph.node("Add", x, point)
    return x


def _convolve(graph: Graph, weights: _Named, x: str, name: str) -> str:
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    kernel = weight.shape[2]
    return graph.node(
        "Conv",
        x,
        graph.weight(weights.in_graph(f"{name}.weight"), weight),
        graph.weight(weights.in_graph(f"{name}.bias"), bias, half=False),
        kernel_shape=[kernel, kernel],
        pads=[kernel // 2] * 4,
        group=weight.shape[0] if weight.shape[1] == 1 else 1,
    )
