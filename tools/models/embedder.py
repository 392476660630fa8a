"""The embedder: Lite0 and its outputs ``embedding``, ``mid``, ``logits``, ``category``, ``mask``.

``embedding`` (512) = L2(P · (L2(√GAP) − mean)), GAP over the 1280 head channels, P a PCA with half
whitening.
``mid`` (624) = five blocks of statistics of the feature maps, each L2(L2(√x) − mean) × weight: the
standard deviations of s32, s16, s8 and the means of s16, s8 over the map; √ keeps the sign.
``category`` (14) = a linear layer on L2(embedding ⊕ 0.7 · mid), the logits and the logarithms of
the class shares summed by category, mixed with the votes of a gallery of known things; ``mask`` is
the subject decoder's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from tools.models.decoder import add_decoder
from tools.models.graph import Graph
from tools.models.lite import Maps, Tensors, add_backbone

__all__ = [
    "BLOCKS",
    "FLOOR",
    "LOGIT_SCALE",
    "MID_WEIGHT",
    "Block",
    "Statistics",
    "embedder",
    "model",
    "raw_embedder",
]

MID_WEIGHT = 0.7
"""Weight of ``mid`` in the category head's input."""

FLOOR = 0.003
"""Added to a category's ImageNet share before its logarithm."""

LOGIT_SCALE = 0.1
"""Factor on the logits as inputs of the category head."""

_EPSILON = 1e-9
_VARIANCE_EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Block:
    """One part of ``mid``: a statistic (``deviation`` or ``mean``) over one feature map."""

    source: str
    statistic: str
    width: int
    weight: float

    @property
    def name(self) -> str:
        """Return the block's name, as in ``mid.s32_deviation``."""
        return f"mid.{self.source}_{self.statistic}"


BLOCKS = (
    Block("s32", "deviation", 320, 1.0),
    Block("s16", "deviation", 112, 1.0),
    Block("s8", "deviation", 40, 0.7),
    Block("s16", "mean", 112, 0.7),
    Block("s8", "mean", 40, 0.5),
)
"""The blocks of ``mid`` in order; 624 numbers together."""

Statistics = Mapping[str, NDArray[Any]]
"""``embedding.mean`` (1280), ``embedding.matrix`` (1280, 512), a mean per block by its name."""


def embedder(
    tensors: Tensors,
    statistics: Statistics,
    category: Mapping[str, NDArray[Any]],
    decoder: Mapping[str, NDArray[Any]] | None = None,
    *,
    half: bool = True,
) -> Graph:
    """Return the graph with all outputs; ``mask`` only if the weights of a decoder are given."""
    graph = Graph(half=half)
    maps = add_backbone(graph, "image", tensors)
    pooled = _pool(graph, maps)
    logits = _logits(graph, pooled, tensors)
    embedding = _embedding(graph, _rooted(graph, pooled), statistics)
    blocks = [_centred(graph, _block(graph, block), block, statistics) for block in BLOCKS]
    mid = graph.node("Concat", *blocks, name="mid", axis=1)
    _category(graph, (embedding, mid, logits), category)
    if decoder is not None:
        add_decoder(graph, maps, decoder)
    return graph


def raw_embedder(tensors: Tensors) -> onnx.ModelProto:
    """Return the model whose outputs the statistics are fitted on.

    ``head`` (1280) = L2(√GAP); ``blocks`` (624) = the blocks of ``mid`` before their means are
    taken off; ``logits`` (1000); and the three feature maps.
    """
    graph = Graph()
    maps = add_backbone(graph, "image", tensors)
    pooled = _pool(graph, maps)
    _logits(graph, pooled, tensors)
    graph.node("Identity", _rooted(graph, pooled), name="head")
    graph.node("Concat", *[_block(graph, block) for block in BLOCKS], name="blocks", axis=1)
    widths = {"head": 1280, "blocks": 624, "logits": 1000}
    return model(graph, widths, ("s8", "s16", "s32"), "Lite0 before any fitted statistic")


def model(
    graph: Graph,
    widths: Mapping[str, int],
    maps: Sequence[str] = (),
    about: str = "",
    *,
    mask: bool = False,
) -> onnx.ModelProto:
    """Close the graph: ``image`` (uint8 RGB [n, height, width, 3]) → vectors and maps."""
    outputs: list[tuple[str, list[int | str]]] = [(n, ["n", w]) for n, w in widths.items()]
    outputs += [("mask", ["n", "mask_h", "mask_w"])] if mask else []
    channels = {"s8": 40, "s16": 112, "s32": 320}
    outputs += [(name, ["n", channels[name], f"{name}_h", f"{name}_w"]) for name in maps]
    image: tuple[str, int, list[int | str]]
    image = ("image", onnx.TensorProto.UINT8, ["n", "height", "width", 3])
    return graph.model([image], outputs, about)


def _pool(graph: Graph, maps: Maps) -> str:
    return graph.node("Flatten", graph.node("GlobalAveragePool", maps.head), axis=1)


def _logits(graph: Graph, pooled: str, tensors: Tensors) -> str:
    weight = graph.weight("_fc.weight", tensors["_fc.weight"])
    bias = graph.weight("_fc.bias", tensors["_fc.bias"], half=False)
    return graph.node("Gemm", pooled, weight, bias, name="logits", transB=1)


def _category(
    graph: Graph, inputs: tuple[str, str, str], weights: Mapping[str, NDArray[Any]]
) -> None:
    """Add the output ``category`` as ``prediction.predict`` computes it."""
    embedding, mid, logits = inputs
    weighted = graph.node("Mul", mid, graph.scalar(MID_WEIGHT))
    v = _unit(graph, graph.node("Concat", embedding, weighted, axis=1))
    shares = graph.node(
        "MatMul",
        graph.node("Softmax", logits, axis=1),
        graph.weight("category.groups", weights["category.groups"]),
    )
    known = graph.node("Log", graph.node("Add", shares, graph.scalar(FLOOR)))
    scaled = graph.node("Mul", logits, graph.scalar(LOGIT_SCALE))
    x = graph.node("Concat", v, scaled, known, axis=1)
    matrix = graph.weight("category.matrix", weights["category.matrix"])
    bias = graph.weight("category.bias", weights["category.bias"], half=False)
    head = graph.node(
        "LogSoftmax", graph.node("Add", graph.node("MatMul", x, matrix), bias), axis=1
    )
    slope, floor, share, trust = (
        graph.weight(f"category.{name}", weights["category.mixture"][i : i + 1])
        for i, name in enumerate(("slope", "floor", "share", "trust"))
    )
    votes = graph.node("Add", _votes(graph, v, weights, slope), floor)
    voted = graph.node("Mul", graph.node("Log", votes), share)
    mixed = graph.node("Add", voted, graph.node("Mul", head, trust))
    graph.node("Softmax", mixed, name="category", axis=1)


def _votes(graph: Graph, v: str, weights: Mapping[str, NDArray[Any]], slope: str) -> str:
    """Return each category's share of the votes of the gallery's things."""
    mean = graph.weight("gallery.mean", weights["gallery.mean"])
    matrix = graph.weight("gallery.matrix", weights["gallery.matrix"])
    asked = _unit(graph, graph.node("MatMul", graph.node("Sub", v, mean), matrix))
    scale = graph.weight("gallery.scale", weights["gallery.scale"][0])
    rows = graph.bytes("gallery.vectors", weights["gallery.vectors"].T, scale)
    column = weights["gallery.column"].astype(np.int64)
    bias = graph.weight("gallery.weight", weights["gallery.weight"][column])
    likeness = graph.node("Mul", graph.node("MatMul", asked, rows), slope)
    chosen = graph.node("Softmax", graph.node("Add", likeness, bias), axis=1)
    ones = np.eye(weights["category.bias"].size, dtype=np.int8)[column]
    return graph.node("MatMul", chosen, graph.bytes("gallery.column", ones, graph.unit_scale()))


def _embedding(graph: Graph, rooted: str, statistics: Statistics) -> str:
    mean = graph.weight("embedding.mean", statistics["embedding.mean"])
    matrix = graph.weight("embedding.matrix", statistics["embedding.matrix"])
    projected = graph.node("MatMul", graph.node("Sub", rooted, mean), matrix)
    return _unit(graph, projected, name="embedding")


def _block(graph: Graph, block: Block) -> str:
    mean = graph.node("ReduceMean", block.source, axes=[2, 3], keepdims=1)
    if block.statistic == "mean":
        return _rooted(graph, graph.node("Flatten", mean, axis=1))
    away = graph.node("Sub", block.source, mean)
    variance = graph.node("ReduceMean", graph.node("Mul", away, away), axes=[2, 3], keepdims=0)
    floor = graph.scalar(_VARIANCE_EPSILON)
    return _rooted(graph, graph.node("Sqrt", graph.node("Add", variance, floor)))


def _centred(graph: Graph, x: str, block: Block, statistics: Statistics) -> str:
    mean = graph.weight(block.name, statistics[block.name], half=False)
    unit = _unit(graph, graph.node("Sub", x, mean))
    return graph.node("Mul", unit, graph.scalar(block.weight))


def _rooted(graph: Graph, x: str) -> str:
    root = graph.node("Sqrt", graph.node("Abs", x))
    return _unit(graph, graph.node("Mul", graph.node("Sign", x), root))


def _unit(graph: Graph, x: str, name: str | None = None) -> str:
    length = graph.node("ReduceL2", x, axes=[1], keepdims=1)
    length = graph.node("Add", length, graph.scalar(_EPSILON))
    return graph.node("Div", x, length, name=name)
