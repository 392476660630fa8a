"""A bundle made around an encoder that the owner brings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from imagesearch.catalogue import Region, Service
from imagesearch.errors import ModelError
from imagesearch.vision import Vision
from imagesearch_local.cli import app
from imagesearch_local.encoder import Encoder, fit, make_bundle
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from tests.pictures import as_bytes, drawn

PICTURES = [as_bytes(drawn(seed), "PNG") for seed in range(12)]


def encoder_file(
    path: Path, *, width: int = 700, layout: str = "nchw", kind: int = TensorProto.FLOAT
) -> Path:
    """Write an encoder of the usual form: pixels in, one row of ``width`` values out."""
    spread = np.random.default_rng(3).normal(size=(3 * 64, width)).astype(np.float32)
    to_planes = (
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2])
        if layout == "nhwc"
        else helper.make_node("Identity", ["floats"], ["planes"])
    )
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        to_planes,
        helper.make_node("AveragePool", ["planes"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["small"], ["row"]),
        helper.make_node("MatMul", ["row", "spread"], ["features"]),
    ]
    shape: list[Any] = ["n", 32, 32, 3] if layout == "nhwc" else ["n", 3, 32, 32]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("pixels", kind, shape)],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", width])],
        [numpy_helper.from_array(spread, "spread")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    return path


@pytest.mark.parametrize(
    ("layout", "kind"),
    [("nchw", TensorProto.FLOAT), ("nhwc", TensorProto.FLOAT), ("nhwc", TensorProto.UINT8)],
)
def test_an_encoder_becomes_a_bundle(tiny: Path, tmp_path: Path, layout: str, kind: int) -> None:
    file = encoder_file(tmp_path / "e.onnx", layout=layout, kind=kind)
    made = make_bundle(Encoder(file=file, id="own-1"), tiny, tmp_path / "out", pictures=PICTURES)
    assert (made.id, made.embedder.side) == ("own-1", 32)
    vision = Vision.load(tmp_path / "out")
    vectors = [vision.look(image, Service.PRODUCT).vector for image in PICTURES]
    again = vision.look(PICTURES[3], Service.PRODUCT)
    assert int(np.argmax(np.stack(vectors) @ again.vector)) == 3
    assert Vision.load(tiny).look(PICTURES[3], Service.PRODUCT).region == again.region


@pytest.mark.parametrize("width", [100, 512])
def test_a_short_vector_needs_no_pictures(tiny: Path, tmp_path: Path, width: int) -> None:
    file = encoder_file(tmp_path / "e.onnx", width=width)
    made = make_bundle(Encoder(file=file, id="own-1"), tiny, tmp_path / "out")
    assert ("maps.npz" in made.files) == (width != 512)
    vector = Vision.load(tmp_path / "out").look(PICTURES[0], Service.FABRIC).vector
    assert np.count_nonzero(vector) == width


def test_pixels_are_scaled_as_told(tiny: Path, tmp_path: Path) -> None:
    """With a deviation of a half, differences count double."""
    file = encoder_file(tmp_path / "e.onnx", width=512)
    whole = Region(0, 160, 0, 120)
    vectors = []
    for number, mean in enumerate([(0.0, 0.0, 0.0), (1.0, 1.0, 1.0)]):
        out = tmp_path / str(number)
        make_bundle(Encoder(file=file, id="own-1", mean=mean, std=(0.5,) * 3), tiny, out)
        vectors.append(Vision.load(out).look(PICTURES[0], Service.PRODUCT, region=whole).vector)
    assert not np.allclose(vectors[0], vectors[1], atol=0.01)


def test_a_long_vector_without_pictures_is_refused(tiny: Path, tmp_path: Path) -> None:
    file = encoder_file(tmp_path / "e.onnx")
    with pytest.raises(ModelError, match="gives 700 values; a map to 512 must be fitted"):
        make_bundle(Encoder(file=file, id="own-1"), tiny, tmp_path / "out")


def test_an_output_that_is_no_vector_is_refused(tiny: Path, tmp_path: Path) -> None:
    file = encoder_file(tmp_path / "e.onnx")
    with pytest.raises(ModelError, match=r"no pooled of shape \[n, width\]; it has features"):
        make_bundle(Encoder(file=file, id="own-1", output="pooled"), tiny, tmp_path / "out")


def test_a_map_keeps_the_neighbours_and_evens_the_directions() -> None:
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(400, 30)).astype(np.float32) * np.linspace(3, 0.3, 30)
    rows = (rows + 5).astype(np.float32)
    mean, matrix = fit(rows)
    assert matrix.shape == (30, 512)
    mapped = (rows - mean) @ matrix
    assert np.abs(mapped.mean(axis=0)).max() < 1e-3
    spread = mapped.std(axis=0)
    assert np.count_nonzero(spread) == 30
    before = rows.std(axis=0)
    assert spread[:30].max() / spread[:30].min() < (before.max() / before.min()) ** 0.6
    turned = np.corrcoef(mapped[:, :30].T)
    assert np.abs(turned - np.eye(30)).max() < 1e-2


def test_a_map_of_few_pictures_leaves_the_rest_empty() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 40)).astype(np.float32)
    _, matrix = fit(rows)
    assert np.count_nonzero(np.abs(matrix).sum(axis=0)) == 5


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)


def test_the_command_line_makes_and_checks(tiny: Path, tmp_path: Path) -> None:
    file, own = encoder_file(tmp_path / "e.onnx"), tmp_path / "own"
    own.mkdir()
    for number, image in enumerate(PICTURES):
        (own / f"{number}.png").write_bytes(image)
    (own / "broken.png").write_bytes(b"no picture")
    made = run(
        *("model", "make", file, tmp_path / "out", "--id", "own-1", "--fit", own),
        *("--base", tiny, "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5", "--json"),
    )
    assert made.exit_code == 0, made.output
    checked = run("model", "check", tmp_path / "out", "--json")
    assert json.loads(checked.stdout) == json.loads(made.stdout)
    assert json.loads(made.stdout)["id"] == "own-1"
    (tmp_path / "out/encoder.onnx").write_bytes(b"altered")
    assert run("model", "check", tmp_path / "out").exit_code != 0
