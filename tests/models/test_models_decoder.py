"""The subject decoder's graph: any widths, with or without the head's map."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto

from tools.models.decoder import BLOCKS_S8, BLOCKS_S16, BLOCKS_S32, add_decoder
from tools.models.graph import Graph
from tools.models.lite import Maps

Arrays = dict[str, NDArray[np.float32]]
CHANNELS = {"s8": 40, "s16": 112, "s32": 320}
PICTURE = {"s8": 16, "s16": 8, "s32": 4}


def weights(widths: tuple[int, int, int], *, head: bool) -> Arrays:
    rng = np.random.default_rng(5)
    made: Arrays = {}

    def layer(name: str, out: int, channels: int, kernel: int = 1) -> None:
        shape = (out, channels, kernel, kernel)
        scale = np.float32(1 / np.sqrt(channels * kernel * kernel))
        made[f"{name}.weight"] = rng.normal(0, scale, shape).astype(np.float32)
        made[f"{name}.bias"] = rng.normal(0, 0.1, out).astype(np.float32)

    wide, middle, fine = widths
    for name, width in zip(("s32", "s16", "s8"), widths, strict=True):
        layer(f"in_{name}", width, CHANNELS[name])
        made[f"{name}.mean"] = rng.normal(0, 1, CHANNELS[name]).astype(np.float32)
        made[f"{name}.scale"] = rng.uniform(0.5, 2, CHANNELS[name]).astype(np.float32)
    layer("context", wide, 320)
    if head:
        layer("in_head", wide, 1280)
        layer("head_context", wide, 1280)
    for name, before, after in (("to_s16", wide, middle), ("to_s8", middle, fine)):
        if before != after:
            layer(name, after, before)
    for width, blocks in ((wide, BLOCKS_S32), (middle, BLOCKS_S16), (fine, BLOCKS_S8)):
        for name, kernel in blocks:
            layer(f"{name}.depthwise", width, 1, kernel)
            layer(f"{name}.pointwise", width, width)
    layer("out", 4, fine)
    return made


def mask_of(made: Arrays, maps: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    graph = Graph(half=False)
    add_decoder(graph, Maps("s8", "s16", "s32", "head"), made)
    inputs = [(name, TensorProto.FLOAT, list(values.shape)) for name, values in maps.items()]
    model = graph.model(inputs, [("mask", ["n", "h", "w"])], "a decoder")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (mask,) = session.run(["mask"], dict(maps))
    return np.asarray(mask)


def random_maps(seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    sides = {name: (2, CHANNELS[name], side, side) for name, side in PICTURE.items()}
    sides["head"] = (2, 1280, 4, 4)
    return {name: rng.normal(0, 1, shape).astype(np.float32) for name, shape in sides.items()}


@pytest.mark.parametrize("widths", [(64, 64, 64), (32, 24, 16)])
@pytest.mark.parametrize("head", [False, True])
def test_the_mask_has_a_value_for_every_four_pixels(
    widths: tuple[int, int, int], head: bool
) -> None:
    maps = random_maps(1)
    if not head:
        del maps["head"]
    mask = mask_of(weights(widths, head=head), maps)
    assert mask.shape == (2, 32, 32)
    assert 0 <= mask.min() < mask.max() <= 1


def test_the_head_s_map_counts() -> None:
    made, maps = weights((32, 24, 16), head=True), random_maps(2)
    other = maps | {"head": random_maps(3)["head"]}
    assert np.abs(mask_of(made, maps) - mask_of(made, other)).max() > 1e-4


def test_several_decoders_give_the_mean_of_their_masks() -> None:
    made, maps = weights((32, 24, 16), head=True), random_maps(4)
    other = {name: values[::-1].copy() for name, values in made.items()}
    shared = {name: made[name] for name in made if name.endswith(("mean", "scale"))}
    both = shared.copy()
    for of, arrays in (("a", made), ("b", other | shared)):
        both |= {f"{of}/{name}": v for name, v in arrays.items() if name not in shared}
    apart = [mask_of(arrays, maps) for arrays in (made, other | shared)]
    assert np.abs(apart[0] - apart[1]).max() > 1e-3
    assert mask_of(both, maps) == pytest.approx(np.mean(apart, axis=0), abs=1e-5)
