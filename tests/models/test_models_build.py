"""The bundle can be made again from its packages and agrees with independent conversions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from tools.models.bundle import FITTED, build, build_embedder, weights_digest
from tools.models.embedder import MID_WEIGHT, raw_embedder
from tools.models.packages import LITE0, U2NETP, member
from tools.models.prediction import category_inputs, predict
from tools.models.statistics import combine, describe, lay_out
from tools.models.torchfile import read_tensors
from tools.models.u2netp import subject_model

_MAPPED = {
    "embedding.mean": "mu",
    "embedding.matrix": "W",
    "mid.s32_deviation": "map_s32.std",
    "mid.s16_deviation": "map_s16.std",
    "mid.s8_deviation": "map_s8.std",
    "mid.s16_mean": "map_s16.gap",
    "mid.s8_mean": "map_s8.gap",
}


def _session(model: Path | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _run(
    session: onnxruntime.InferenceSession, image: NDArray[Any], names: list[str] | None = None
) -> dict[str, NDArray[Any]]:
    names = names or [output.name for output in session.get_outputs()]
    entry, options = session.get_inputs()[0].name, onnxruntime.RunOptions()
    options.only_execute_path_to_fetches = True
    return dict(zip(names, session.run(names, {entry: image}, options), strict=True))


def _pictures(side: int, count: int = 4) -> NDArray[np.uint8]:
    """Blobs and waves: smooth enough for a net to see something in them."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:side, 0:side] / side
    pictures = []
    for _ in range(count):
        cx, cy, r = rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.7), rng.uniform(0.1, 0.3)
        blob = (((x - cx) ** 2 + (y - cy) ** 2) < r * r)[..., None]
        wave = 0.5 + 0.5 * np.sin(20 * (x * rng.normal() + y * rng.normal()))[..., None]
        ground = rng.uniform(0, 1, 3) * (0.7 + 0.3 * wave)
        pictures.append(np.where(blob, rng.uniform(0, 1, 3) * (0.5 + 0.5 * wave), ground) * 255)
    return np.array(pictures).astype(np.uint8)


def _cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / lengths).min())


@pytest.fixture(scope="module")
def rebuilt(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    build(folder, packages)
    return folder


def test_files_are_those_the_bundle_names(bundle_folder: Path) -> None:
    bundle = json.loads((bundle_folder / "bundle.json").read_text())
    for name, entry in bundle["files"].items():
        data = (bundle_folder / name).read_bytes()
        assert len(data) == entry["bytes"]
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert f"`{name}`" in (bundle_folder / "cards.md").read_text()
    assert sum(entry["bytes"] for entry in bundle["files"].values()) <= 28_000_000


def test_a_rebuild_has_the_same_weights(rebuilt: Path, bundle_folder: Path) -> None:
    names = sorted(path.name for path in bundle_folder.glob("*.onnx"))
    assert names == sorted(path.name for path in rebuilt.glob("*.onnx"))
    for name in names:
        assert weights_digest(rebuilt / name) == weights_digest(bundle_folder / name), name


def test_a_rebuild_gives_the_same_numbers(rebuilt: Path, bundle_folder: Path) -> None:
    image = _pictures(224, 2)
    ours = _run(_session(rebuilt / "embedder.onnx"), image)
    committed = _run(_session(bundle_folder / "embedder.onnx"), image)
    for name, values in committed.items():
        np.testing.assert_allclose(ours[name], values, atol=1e-5)


def test_a_rebuild_writes_the_same_description(rebuilt: Path, bundle_folder: Path) -> None:
    ours = json.loads((rebuilt / "bundle.json").read_text())
    committed = json.loads((bundle_folder / "bundle.json").read_text())
    for bundle in (ours, committed):
        for name, entry in bundle["files"].items():
            if name.endswith(".onnx"):
                entry.clear()  # bytes may differ with the version of onnx; weights are compared
    assert ours == committed


def test_the_embedder_agrees_with_the_reference(packages: Path, references: Path) -> None:
    stored = np.load(references / "embed_stats_lite0.npz", allow_pickle=False)
    statistics = {ours: stored[theirs] for ours, theirs in _MAPPED.items()}
    category = dict(np.load(FITTED / "category.npz", allow_pickle=False))
    model = build_embedder(packages, statistics, category).SerializeToString()
    image = _pictures(224)
    ours, theirs = (
        _run(_session(model), image),
        _run(_session(references / "embedder_fp16.onnx"), image),
    )
    assert _cosine(ours["embedding"], theirs["embedding"]) >= 0.9999
    assert _cosine(ours["mid"], theirs["mid"]) >= 0.9999
    assert (ours["logits"].argmax(axis=1) == theirs["logits"].argmax(axis=1)).all()


@pytest.mark.parametrize("side", [160, 224])
def test_masks_equal_the_reference(packages: Path, references: Path, side: int) -> None:
    image = _pictures(side, 1)
    mask = _run(_session(subject_model(member(U2NETP, packages), side).SerializeToString()), image)
    scaled = image.astype(np.float32) / image.max()
    mean, deviation = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)
    pixels = ((scaled - mean) / deviation).transpose(0, 3, 1, 2)
    (theirs,) = _run(_session(references / f"u2netp_{side}.onnx"), pixels).values()
    np.testing.assert_allclose(mask["mask"], theirs[:, 0], atol=1e-6)


def test_the_graph_does_what_the_fits_assume(packages: Path, bundle_folder: Path) -> None:
    image = _pictures(224, 3)
    statistics, head, decoder = (
        dict(np.load(FITTED / f"{name}.npz", allow_pickle=False))
        for name in ("statistics", "category", "decoder")
    )
    model = raw_embedder(read_tensors(member(LITE0, packages)), decoder)
    raw = _run(_session(model.SerializeToString()), image)
    embedding, mid = describe(raw["head"], raw["blocks"], statistics)
    own = {
        name.removeprefix("subject_"): array
        for name, array in statistics.items()
        if "subject_" in name
    }
    of_subject = describe(raw["subject_head"], raw["subject_blocks"], own)
    inputs = category_inputs(combine(embedding, mid, MID_WEIGHT), raw["logits"])
    graph = _run(_session(bundle_folder / "embedder.onnx"), image)
    np.testing.assert_allclose(graph["embedding"], embedding, atol=1e-4)
    np.testing.assert_allclose(graph["mid"], mid, atol=1e-4)
    np.testing.assert_allclose(graph["category"], predict(inputs, head), atol=2e-3)
    for name, values in zip(("subject_embedding", "subject_mid"), of_subject, strict=True):
        np.testing.assert_allclose(graph[name], values, atol=1e-3)
    np.testing.assert_allclose(graph["layout"], lay_out(raw["cells"], statistics), atol=1e-3)


def test_the_subjects_pooling_forgets_the_ground(bundle_folder: Path) -> None:
    """The same blob on two grounds: what the mask weighs is more alike than the plain pooling."""
    rng, (y, x) = np.random.default_rng(4), np.mgrid[0:224, 0:224]
    blob = ((x - 112) ** 2 + (y - 112) ** 2 < 60**2)[..., None]
    thing = np.stack([x, y, 255 - x], axis=2) * 0.8
    grounds = np.full((224, 224, 3), 235.0), rng.uniform(60, 120, (1, 224, 3)).repeat(224, axis=0)
    shown = np.stack([np.where(blob, thing, ground) for ground in grounds]).astype(np.uint8)
    said = _run(_session(bundle_folder / "embedder.onnx"), shown)
    likeness = {name: _cosine(v[:1], v[1:]) for name, v in said.items() if "mid" in name}
    assert likeness["subject_mid"] > likeness["mid"] + 0.1


def test_layout_tells_where_things_lie(bundle_folder: Path) -> None:
    one = _pictures(224, 1)
    said = _run(_session(bundle_folder / "embedder.onnx"), np.concatenate([one, one[:, ::-1]]))
    flipped = {name: _cosine(said[name][:1], said[name][1:]) for name in ("layout", "embedding")}
    assert flipped["layout"] < flipped["embedding"] - 0.2


def test_the_mask_alone_is_the_mask_of_the_whole_run(bundle_folder: Path) -> None:
    subject = json.loads((bundle_folder / "bundle.json").read_text())["subject"]
    session = _session(bundle_folder / subject["file"])
    options = onnxruntime.RunOptions()
    options.only_execute_path_to_fetches = True
    image = _pictures(subject["side"], 1)
    (mask,) = session.run([subject["output"]], {subject["pixels"]["input"]: image}, options)
    assert mask.ndim == 3
    assert 0 <= mask.min() <= mask.max() <= 1
    np.testing.assert_array_equal(mask, _run(session, image)[subject["output"]])


def test_the_sides_of_the_embedder_may_be_256(bundle_folder: Path) -> None:
    session = _session(bundle_folder / "embedder.onnx")
    image = _pictures(256, 3)[:, :224]
    outputs = _run(session, image)
    bundle = json.loads((bundle_folder / "bundle.json").read_text())
    for name, width in bundle["embedder"]["outputs"].items():
        assert outputs[name].shape == (3, width)
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=1), 1, atol=1e-5)
