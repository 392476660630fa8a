"""A bundle that is altered, incomplete or reaches outside is refused with its reason."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from imagesearch.catalogue import Service
from imagesearch.errors import ModelError
from imagesearch.vision import Vision
from imagesearch.vision.onnxfile import has_external_data
from onnx import TensorProto, helper

from tests.vision.conftest import description, network

Make = Callable[..., Path]


def refused(folder: Path, match: str) -> None:
    with pytest.raises(ModelError, match=match):
        Vision.load(folder).warm()


def test_a_sound_bundle_loads(tiny: Path) -> None:
    vision = Vision.load(tiny)
    vision.warm()
    assert vision.model == "tiny-1"


def test_a_missing_folder_and_a_missing_file_are_named(tiny: Path, bundle: Make) -> None:
    refused(tiny / "nowhere", r"bundle\.json cannot be read")
    folder = bundle()
    (folder / "tiny.onnx").unlink()
    refused(folder, r"tiny\.onnx cannot be read")


def test_an_altered_file_is_refused(bundle: Make, tiny_file: bytes) -> None:
    folder = bundle()
    changed = bytearray(tiny_file)
    changed[len(changed) // 2] ^= 1
    (folder / "tiny.onnx").write_bytes(changed)
    refused(folder, r"tiny\.onnx was altered: its SHA-256 is")
    (folder / "tiny.onnx").write_bytes(tiny_file[:-1])
    refused(folder, f"has {len(tiny_file) - 1} bytes, not {len(tiny_file)}")


def test_a_description_that_is_no_json_is_refused(bundle: Make) -> None:
    folder = bundle()
    (folder / "bundle.json").write_text("{")
    refused(folder, "is not a bundle description")


def _changed(section: str, **changes: Any) -> dict[str, Any]:
    return {section: {**description()[section], **changes}}


def _service(**changes: Any) -> dict[str, Any]:
    services = description()["services"]
    return {"services": {**services, "fabric": {**services["fabric"], **changes}}}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"format": 2}, "format is 2; this version reads 1"),
        ({"id": "../up"}, "id '../up' is not"),
        (_changed("embedder", file="other.onnx"), r"'other\.onnx' is used but not listed"),
        (_changed("embedder", side=5000), "embedder.side is 5000"),
        (_changed("embedder", resize="nearest"), "Invalid enum value"),
        (_changed("subject", threshold=1.5), "subject.threshold is 1.5"),
        (_changed("subject", enlarge=0), "subject.enlarge is 0"),
        (_changed("categories", ids=[0, 1]), "has width 14, but there are 2 ids"),
        (_changed("categories", ids=list(range(14))), "10 is not an id of the category table"),
        ({"services": {}}, "services has no product"),
        (_service(parts=[]), "at least one part"),
        (_service(views=["mirror"]), "plain as its first view"),
        (_service(views=["plain", "upside"]), "Invalid enum value 'upside'"),
        (_service(parts=[{"output": "mood", "weight": 1}]), "'mood', which the embedder has not"),
        (_service(parts=[{"output": "category", "weight": 1}]), "they have 14"),
        (
            _service(map={"file": "m.npz", "mean": "a", "matrix": "b"}),
            r"'m\.npz' is used but not listed",
        ),
        ({"calibration": {"product": {"points": [[0.5, 0.1], [0.4, 0.2]]}}}, "must ascend"),
        ({"calibration": {"product": {"points": [[0.4, 0.3], [0.5, 0.2]]}}}, "not descend"),
    ],
)
def test_a_wrong_description_is_refused(bundle: Make, changes: dict[str, Any], match: str) -> None:
    refused(bundle(**changes), match)


def test_a_file_outside_the_folder_is_refused(bundle: Make, tiny_file: bytes) -> None:
    (bundle().parent / "outside.onnx").write_bytes(tiny_file)
    refused(bundle({"../outside.onnx": tiny_file, "tiny.onnx": tiny_file}), "not a plain name")


def test_a_file_that_is_no_onnx_is_refused(bundle: Make) -> None:
    refused(bundle({"tiny.onnx": b"GIF89a and more"}), r"tiny\.onnx is not an ONNX file")
    refused(bundle({"tiny.onnx": b""}), "has 0 bytes")
    refused(bundle({"tiny.onnx": b"\x08\x07"}), "cannot be loaded")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"input": "pixels"}, "must have the one input pixels"),
        ({"type": "float32"}, r"image: tensor\(float\); it has image: tensor\(uint8\)"),
    ],
)
def test_another_input_is_refused(bundle: Make, changes: dict[str, str], match: str) -> None:
    pixels = {**description()["embedder"]["pixels"], **changes}
    refused(bundle(**_changed("embedder", pixels=pixels)), match)


def test_other_outputs_are_refused(bundle: Make) -> None:
    refused(bundle(**_changed("subject", output="shape")), "no float output 'shape'")
    wider = {"embedding": 512, "category": 14, "mask": 15}
    refused(bundle(**_changed("embedder", outputs=wider)), "mask is 16 wide; bundle.json says 15")


def _archive(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


MAP = {"file": "maps.npz", "mean": "mean", "matrix": "matrix"}


@pytest.mark.parametrize(
    ("archive", "match"),
    [
        (b"PK nothing", r"maps\.npz is not an \.npz archive"),
        (_archive(mean=np.zeros(512)), "array 'matrix' is missing"),
        (_archive(mean=np.zeros(511), matrix=np.zeros((512, 512))), r"shape \(511,\); floats"),
        (_archive(mean=np.zeros(512, int), matrix=np.zeros((512, 512))), "is int64"),
        (_archive(mean=np.array([None])), "not an .npz archive of plain arrays"),
    ],
)
def test_a_wrong_map_is_refused(bundle: Make, tiny_file: bytes, archive: bytes, match: str) -> None:
    files = {"tiny.onnx": tiny_file, "maps.npz": archive}
    refused(bundle(files, **_service(map=MAP)), match)


def test_a_map_changes_the_vector_of_its_service_only(
    bundle: Make, tiny_file: bytes, tiny: Path
) -> None:
    from tests.pictures import as_bytes
    from tests.vision.corpus import scene

    turned = np.eye(512, dtype=np.float16)[::-1]
    archive = _archive(mean=np.zeros(512, np.float16), matrix=turned)
    folder = bundle({"tiny.onnx": tiny_file, "maps.npz": archive}, **_service(map=MAP))
    image = as_bytes(scene(), "PNG")
    plain, mapped = (Vision.load(f).look(image, Service.FABRIC).vector for f in (tiny, folder))
    np.testing.assert_allclose(mapped, plain[::-1], atol=1e-6)
    generic = Vision.load(folder).look(image, Service.GENERIC, crop=False).vector
    np.testing.assert_allclose(generic, plain, atol=1e-6)


def _external(where: str) -> bytes:
    model = network()
    tensor = next(t for t in model.graph.initializer if t.name == "spread")
    outside = TensorProto()
    outside.CopyFrom(tensor)
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="weights.bin")
    if where == "initializer":
        tensor.CopyFrom(outside)
        return model.SerializeToString()
    model.graph.initializer.remove(tensor)
    node = helper.make_node("Constant", [], ["spread"], value=outside)
    if where == "constant":
        model.graph.node.insert(0, node)
        return model.SerializeToString()
    inner = helper.make_graph([node], "inner", [], [])
    model.graph.node.insert(
        0, helper.make_node("If", ["yes"], ["spread"], then_branch=inner, else_branch=inner)
    )
    return model.SerializeToString()


@pytest.mark.parametrize("where", ["initializer", "constant", "branch"])
def test_weights_in_another_file_are_refused(bundle: Make, where: str) -> None:
    refused(bundle({"tiny.onnx": _external(where)}), "keeps weights in another file")


def test_a_file_of_its_own_reaches_for_nothing(tiny_file: bytes) -> None:
    assert not has_external_data(tiny_file)
    assert not has_external_data(memoryview(tiny_file))
    assert onnx.load_from_string(tiny_file).graph.name == "tiny"
