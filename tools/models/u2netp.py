"""U²-Netp cut down to its finest mask, with its preprocessing inside the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["subject_model"]

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_STD = np.array([0.229, 0.224, 0.225], np.float32)


def subject_model(data: bytes, side: int) -> onnx.ModelProto:
    """Return ``image`` (uint8 RGB [1, side, side, 3]) → ``mask`` (float32 [1, side, side], 0…1).

    The published preprocessing is done inside: x / max(x), then the ImageNet mean and deviation.
    The six coarser side outputs, fit for training only, are cut away with all that only they need.
    """
    source = onnx.load_from_string(data)
    finest, pixels = source.graph.output[0].name, source.graph.input[0].name
    nodes = _needed(source.graph, finest)
    used = {name for node in nodes for name in node.input}
    constants = [
        numpy_helper.from_array(_MEAN, "mean"),
        numpy_helper.from_array(_STD, "deviation"),
        numpy_helper.from_array(np.array(1.0, np.float32), "one"),
    ]
    graph = helper.make_graph(
        [*_before(pixels), *nodes, helper.make_node("Squeeze", [finest], ["mask"], axes=[1])],
        "subject",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, side, side, 3])],
        [helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, side, side])],
        constants + [w for w in source.graph.initializer if w.name in used],
    )
    opset = next(o.version for o in source.opset_import if o.domain in ("", "ai.onnx"))
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="tools.models"
    )
    model.ir_version = source.ir_version
    model.doc_string = f"U2-Netp, finest mask, {side} x {side}"
    onnx.checker.check_model(model)
    return model


def _before(pixels: str) -> list[onnx.NodeProto]:
    steps: tuple[tuple[str, list[str], dict[str, Any]], ...] = (
        ("Cast", ["image"], {"to": TensorProto.FLOAT}),
        ("ReduceMax", ["Cast_out"], {"axes": [1, 2, 3], "keepdims": 1}),
        ("Max", ["ReduceMax_out", "one"], {}),
        ("Div", ["Cast_out", "Max_out"], {}),
        ("Sub", ["Div_out", "mean"], {}),
    )
    nodes = [helper.make_node(op, ins, [f"{op}_out"], **more) for op, ins, more in steps]
    nodes.append(helper.make_node("Div", ["Sub_out", "deviation"], ["normalised"]))
    return [*nodes, helper.make_node("Transpose", ["normalised"], [pixels], perm=[0, 3, 1, 2])]


def _needed(graph: onnx.GraphProto, output: str) -> list[onnx.NodeProto]:
    wanted, kept = {output}, []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]
