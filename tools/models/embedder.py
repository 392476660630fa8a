"""The embedder: Lite0 and its outputs.

``embedding``, ``mid``, ``subject_embedding``, ``subject_mid``, ``layout``, ``logits``,
``category``, ``mask``.

``embedding`` (512) = L2(P · (L2(√GAP) − mean)), GAP over the 1280 head channels, P a PCA with half
whitening.
``mid`` (624) = five blocks of statistics of the feature maps, each L2(L2(√x) − mean) × weight: the
standard deviations of s32, s16, s8 and the means of s16, s8 over the map; √ keeps the sign.
``subject_embedding`` and ``subject_mid`` = the same, but every mean and deviation over a map counts
each place by its share of the subject: the mask there and ``GROUND``, or equally if no place of the
mask is above ``SURE``.
``layout`` (1152) = what lies where: three grids of cells over √x of a feature map, the means of
each cell's channels through a half whitened PCA, less their mean over the cells; L2(L2 − mean) ×
weight.
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
from tools.models.lite import Tensors, add_backbone

__all__ = [
    "BLOCKS",
    "FLOOR",
    "GRIDS",
    "GROUND",
    "LOGIT_SCALE",
    "MID_WEIGHT",
    "SURE",
    "Block",
    "Grid",
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

GROUND = 0.15
"""What a place without any of the subject counts in its pooling; one full of it 1 more."""

SURE = 0.5
"""A mask that reaches this nowhere tells nothing: every place counts alike."""

_SIDE = 224
"""The input's height and width that ``layout`` is made for; at 256 it lacks an edge."""

_CELL = 7

_STRIDES = {"s8": 8, "s16": 16, "s32": 32, "head": 32}
_MASK_STRIDE = 4
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


@dataclass(frozen=True, slots=True)
class Grid:
    """One part of ``layout``: so many cells in a row and in a column of one feature map.

    The map has ``channels``, of which ``width`` directions are kept.
    """

    source: str
    channels: int
    cells: int
    width: int
    weight: float

    @property
    def name(self) -> str:
        """Return the grid's name, as in ``layout.s16``."""
        return f"layout.{self.source}"

    @property
    def raw_width(self) -> int:
        """Return how many numbers it has before the PCA."""
        return self.channels * self.cells**2


GRIDS = (
    Grid("s16", 112, 4, 32, 1.0),
    Grid("s32", 320, 2, 96, 0.7),
    Grid("s8", 40, 4, 16, 0.7),
)
"""The grids of ``layout`` in order."""

Statistics = Mapping[str, NDArray[Any]]
"""``embedding.mean`` (1280), ``embedding.matrix`` (1280, 512), a mean per block by its name, and
per grid ``.mean``, ``.matrix`` and ``.centre``."""


def embedder(
    tensors: Tensors,
    statistics: Statistics,
    category: Mapping[str, NDArray[Any]],
    decoder: Mapping[str, NDArray[Any]] | None = None,
    *,
    half: bool = True,
) -> Graph:
    """Return the graph with all outputs.

    ``mask``, ``layout`` and those of the subject are there only if the weights of a decoder are
    given.
    """
    graph = Graph(half=half)
    maps = add_backbone(graph, "image", tensors)
    pooled = _pool(graph, maps.head)
    logits = _logits(graph, pooled, tensors)
    embedding = _embedding(graph, _rooted(graph, pooled), statistics)
    mid = _mid(graph, statistics)
    _category(graph, (embedding, mid, logits), category)
    if decoder is not None:
        add_decoder(graph, maps, decoder)
        _layout(graph, statistics)
        shares = _shares(graph)
        rooted = _rooted(graph, _pool(graph, maps.head, shares["head"]))
        _embedding(graph, rooted, statistics, "subject_")
        _mid(graph, statistics, shares, "subject_")
    return graph


def raw_embedder(
    tensors: Tensors, decoder: Mapping[str, NDArray[Any]] | None = None
) -> onnx.ModelProto:
    """Return the model whose outputs the statistics are fitted on.

    ``head`` (1280) = L2(√GAP); ``blocks`` (624) = the blocks of ``mid`` before their means are
    taken off; ``logits`` (1000); ``cells`` (3712), the means of ``layout``; and the maps. With
    the weights of a decoder also ``subject_head`` and ``subject_blocks``.
    """
    graph = Graph()
    maps = add_backbone(graph, "image", tensors)
    pooled = _pool(graph, maps.head)
    _logits(graph, pooled, tensors)
    graph.node("Identity", _rooted(graph, pooled), name="head")
    graph.node("Concat", *[_block(graph, block) for block in BLOCKS], name="blocks", axis=1)
    cells = [graph.node("Flatten", _cells(graph, grid), axis=1) for grid in GRIDS]
    graph.node("Concat", *cells, name="cells", axis=1)
    widths = {"head": 1280, "blocks": 624, "logits": 1000}
    widths["cells"] = sum(grid.raw_width for grid in GRIDS)
    if decoder is not None:
        add_decoder(graph, maps, decoder)
        shares = _shares(graph)
        rooted = _rooted(graph, _pool(graph, maps.head, shares["head"]))
        graph.node("Identity", rooted, name="subject_head")
        own = [_block(graph, block, shares[block.source]) for block in BLOCKS]
        graph.node("Concat", *own, name="subject_blocks", axis=1)
        widths |= {"subject_head": 1280, "subject_blocks": 624}
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


def _shares(graph: Graph) -> dict[str, str]:
    """Add what each place of each feature map counts in the subject's pooling; on average 1."""
    axis = graph.weight("subject/axis", np.array([1], np.int64))
    mask = graph.node("Unsqueeze", "mask", axis)
    sure = graph.node("Greater", graph.node("ReduceMax", mask, axes=[1, 2, 3]), graph.scalar(SURE))
    counted = graph.node("Where", sure, mask, graph.scalar(1.0))
    shares: dict[str, str] = {}
    for name, stride in _STRIDES.items():
        sides = [stride // _MASK_STRIDE] * 2
        shown = graph.node("AveragePool", counted, kernel_shape=sides, strides=sides)
        weight = graph.node("Add", shown, graph.scalar(GROUND))
        total = graph.node("ReduceMean", weight, axes=[2, 3], keepdims=1)
        shares[name] = graph.node("Div", weight, total)
    return shares


def _pool(graph: Graph, source: str, shares: str | None = None) -> str:
    mean = _mean(graph, source, shares) if shares else graph.node("GlobalAveragePool", source)
    return graph.node("Flatten", mean, axis=1)


def _mean(graph: Graph, source: str, shares: str | None) -> str:
    counted = graph.node("Mul", source, shares) if shares else source
    return graph.node("ReduceMean", counted, axes=[2, 3], keepdims=1)


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


def _embedding(graph: Graph, rooted: str, statistics: Statistics, whose: str = "") -> str:
    mean, matrix = (
        graph.weight(name, statistics[name])
        for name in (f"{whose}embedding.mean", f"{whose}embedding.matrix")
    )
    projected = graph.node("MatMul", graph.node("Sub", rooted, mean), matrix)
    return _unit(graph, projected, name=f"{whose}embedding")


def _mid(
    graph: Graph,
    statistics: Statistics,
    shares: Mapping[str, str] | None = None,
    whose: str = "",
) -> str:
    blocks = []
    for block in BLOCKS:
        values = _block(graph, block, shares[block.source] if shares else None)
        blocks.append(_centred(graph, values, block, statistics, whose))
    return graph.node("Concat", *blocks, name=f"{whose}mid", axis=1)


def _cells(graph: Graph, grid: Grid) -> str:
    """Add the means of √x over the cells of a grid, [n, channels, cells].

    Cells have a side of 7 places of the map, or of the map with every place doubled.
    """
    root = graph.node("Sqrt", graph.node("Abs", grid.source))
    rooted = graph.node("Mul", graph.node("Sign", grid.source), root)
    times = grid.cells * _CELL * _STRIDES[grid.source] // _SIDE
    if times > 1:
        scales = graph.weight(f"{grid.name}.scales", np.array([1, 1, times, times], np.float32))
        nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
        rooted = graph.node("Resize", rooted, "", scales, nearest_mode="floor", **nearest)
    means = graph.node("AveragePool", rooted, kernel_shape=[_CELL] * 2, strides=[_CELL] * 2)
    flat = graph.weight(f"{grid.name}.flat", np.array([0, grid.channels, -1], np.int64))
    return graph.node("Reshape", means, flat)


def _layout(graph: Graph, statistics: Statistics) -> None:
    """Add the output ``layout``, as ``statistics.lay_out`` computes it."""
    parts = []
    for grid in GRIDS:
        cells = graph.node("Transpose", _cells(graph, grid), perm=[0, 2, 1])
        mean, matrix, centre = (
            graph.weight(f"{grid.name}.{name}", statistics[f"{grid.name}.{name}"])
            for name in ("mean", "matrix", "centre")
        )
        narrow = graph.node("MatMul", graph.node("Sub", cells, mean), matrix)
        common = graph.node("ReduceMean", narrow, axes=[1], keepdims=1)
        flat = _unit(graph, graph.node("Flatten", graph.node("Sub", narrow, common), axis=1))
        unit = _unit(graph, graph.node("Sub", flat, centre))
        parts.append(graph.node("Mul", unit, graph.scalar(grid.weight)))
    graph.node("Concat", *parts, name="layout", axis=1)


def _block(graph: Graph, block: Block, shares: str | None = None) -> str:
    mean = _mean(graph, block.source, shares)
    if block.statistic == "mean":
        return _rooted(graph, graph.node("Flatten", mean, axis=1))
    away = graph.node("Sub", block.source, mean)
    variance = _pool(graph, graph.node("Mul", away, away), shares)
    floor = graph.scalar(_VARIANCE_EPSILON)
    return _rooted(graph, graph.node("Sqrt", graph.node("Add", variance, floor)))


def _centred(graph: Graph, x: str, block: Block, statistics: Statistics, whose: str) -> str:
    name = f"{whose}{block.name}"
    mean = graph.weight(name, statistics[name], half=False)
    unit = _unit(graph, graph.node("Sub", x, mean))
    return graph.node("Mul", unit, graph.scalar(block.weight))


def _rooted(graph: Graph, x: str) -> str:
    root = graph.node("Sqrt", graph.node("Abs", x))
    return _unit(graph, graph.node("Mul", graph.node("Sign", x), root))


def _unit(graph: Graph, x: str, name: str | None = None) -> str:
    length = graph.node("ReduceL2", x, axes=[1], keepdims=1)
    length = graph.node("Add", length, graph.scalar(_EPSILON))
    return graph.node("Div", x, length, name=name)
