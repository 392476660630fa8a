"""A thin hand on ONNX: add nodes and weights, get a checked model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["OPSET", "Graph"]

OPSET = 17
_HALVED_FROM = 512  # smaller arrays (biases, means) stay float32


class Graph:
    """An ONNX graph under construction; every method that adds a node returns its output's name."""

    def __init__(self, *, half: bool = True) -> None:
        self._half = half
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}
        self._count = 0

    def weight(self, name: str, values: NDArray[Any], *, half: bool = True) -> str:
        """Add an array; unless told otherwise large ones are stored as float16, cast at loading."""
        if name in self._weights:
            return name
        if values.dtype != np.int64:
            values = np.ascontiguousarray(values, np.float32)
        if not (half and self._half) or values.size < _HALVED_FROM or values.dtype == np.int64:
            self._weights[name] = numpy_helper.from_array(values, name)
            return name
        stored = f"{name}/half"
        if stored not in self._weights:
            self._weights[stored] = numpy_helper.from_array(values.astype(np.float16), stored)
            self.node("Cast", stored, name=name, to=TensorProto.FLOAT)
        return name

    def scalar(self, value: float) -> str:
        """Add a one-element constant, shared by all that use the same value."""
        return self.weight(f"scalar/{value:g}", np.array([value], np.float32))

    def bytes(self, name: str, values: NDArray[np.int8], scale: str) -> str:
        """Add an ``int8`` array; it is multiplied by the scalar ``scale`` once, at loading."""
        stored = f"{name}/int8"
        self._weights[stored] = numpy_helper.from_array(np.ascontiguousarray(values), stored)
        return self.node("DequantizeLinear", stored, scale, name=name)

    def unit_scale(self) -> str:
        """Add the scale 1 of an ``int8`` array."""
        return self.weight("scale/1", np.array(1, np.float32))

    def node(self, op: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node with one output, named ``name`` if given."""
        if name is None:
            self._count += 1
            name = f"{op.lower()}_{self._count}"
        self._nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def model(
        self,
        inputs: Sequence[tuple[str, int, Sequence[int | str]]],
        outputs: Sequence[tuple[str, Sequence[int | str]]],
        about: str,
    ) -> onnx.ModelProto:
        """Return the model; inputs are ``(name, element type, shape)``, outputs are float32."""
        graph = helper.make_graph(
            self._nodes,
            "imagesearch",
            [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs],
            list(self._weights.values()),
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="tools.models"
        )
        model.ir_version = 8
        model.doc_string = about
        onnx.checker.check_model(model)
        return model
