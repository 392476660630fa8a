"""Where the shipped bundle places pictures among the meanings of texts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imagesearch.catalogue import Region, Service
from imagesearch.errors import ModelError
from imagesearch.vision import Vision
from imagesearch.vision.bundle import Bundle
from imagesearch.vision.manifest import Manifest
from imagesearch.vision.meaning import MeaningMap

from tests.pictures import as_bytes, drawn

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "layers/models"
CHAIR = ROOT / "local/imagesearch_local/demo/catalog/scopia_085__main.jpg"
WIDTHS = {"embedding": 512, "mid": 624, "logits": 1000}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODELS, tmp_path / "models"))


def rewritten(folder: Path, **changes: Any) -> Path:
    described = json.loads((folder / "bundle.json").read_text())
    described["meaning"] |= changes
    (folder / "bundle.json").write_text(json.dumps(described))
    return folder


def said(seed: int, views: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {n: rng.standard_normal((views, w), np.float32) for n, w in WIDTHS.items()}


def unit(row: Any) -> Any:
    return row / np.linalg.norm(row)


def plainly(bundle: Bundle, outputs: dict[str, Any]) -> Any:
    """The formula of layers/models/README.md, step by step."""
    a, recipe = bundle.meaning(), bundle.manifest.meaning
    assert recipe is not None
    logits = outputs["logits"][0]
    parts = [outputs[part.output][0] * part.weight for part in recipe.parts]
    x = unit(np.concatenate([*parts, unit(logits - logits.mean()) * recipe.logit_weight]))
    z = (x - a["mean"]) @ a["axes"]
    k = np.exp(-recipe.gamma * ((z - a["points"]) ** 2).sum(axis=1))
    learned = unit(k @ a["weights"] + a["offset"])
    p = np.exp(logits / recipe.temperature)
    p[np.argsort(p)[: -recipe.keep]] = 0
    told = unit(p @ a["classes"])
    return unit((1 - recipe.share) * learned + recipe.share * told)


@pytest.mark.parametrize("seed", range(4))
def test_a_meaning_is_what_the_formula_says(seed: int) -> None:
    bundle = Bundle(MODELS)
    assert bundle.manifest.meaning
    place = MeaningMap(bundle, bundle.manifest.meaning).place(said(seed))
    np.testing.assert_allclose(place, plainly(bundle, said(seed)), atol=2e-5)


def test_the_first_view_counts() -> None:
    bundle = Bundle(MODELS)
    assert bundle.manifest.meaning
    found = MeaningMap(bundle, bundle.manifest.meaning)
    several = said(1, views=3)
    first = {name: rows[:1] for name, rows in several.items()}
    assert (found.place(several) == found.place(first)).all()
    assert found.classes(several) == found.classes(first)


def test_classes_are_the_likeliest_and_likely_enough() -> None:
    bundle = Bundle(MODELS)
    assert bundle.manifest.meaning
    found = MeaningMap(bundle, bundle.manifest.meaning)
    logits = np.full((1, 1000), -20, np.float32)
    logits[0, [5, 7, 9, 11]] = np.log([0.3, 0.4, 0.05, 0.25])
    assert found.classes({"logits": logits}) == (7, 5, 11)
    assert found.classes({"logits": np.zeros((1, 1000), np.float32)}) == ()


def test_the_same_bytes_have_the_same_meaning_and_look() -> None:
    image = CHAIR.read_bytes()
    first, second = (
        Vision.load(MODELS).look(image, Service.PRODUCT, meaning=True) for _ in range(2)
    )
    assert first.meaning is not None
    assert second.meaning is not None
    assert first.meaning.tobytes() == second.meaning.tobytes()
    assert first.classes == second.classes != ()
    plain = Vision.load(MODELS).look(image, Service.PRODUCT)
    assert plain.vector.tobytes() == first.vector.tobytes()
    assert plain.category_id == first.category_id


@pytest.mark.parametrize("service", list(Service))
def test_every_service_has_meanings(service: Service) -> None:
    view = Vision.load(MODELS).look(as_bytes(drawn(2), "PNG"), service, meaning=True)
    assert view.meaning is not None
    assert np.linalg.norm(view.meaning) == pytest.approx(1, abs=1e-5)
    assert len(view.classes) <= 3


def test_a_given_region_is_what_has_the_meaning() -> None:
    vision = Vision.load(MODELS)
    image = as_bytes(drawn(3), "PNG")
    whole = vision.look(image, Service.PRODUCT, crop=False, meaning=True)
    part = vision.look(image, Service.PRODUCT, region=Region(0, 40, 0, 40), meaning=True)
    assert whole.meaning is not None
    assert part.meaning is not None
    assert (whole.meaning != part.meaning).any()


def test_a_bundle_without_meanings_gives_none(copy: Path) -> None:
    described = json.loads((copy / "bundle.json").read_text())
    del described["meaning"]
    (copy / "bundle.json").write_text(json.dumps(described))
    view = Vision.load(copy).look(CHAIR.read_bytes(), Service.PRODUCT, meaning=True)
    assert (view.meaning, view.classes) == (None, ())


def test_an_altered_map_is_told_by_those_who_need_it(copy: Path) -> None:
    data = bytearray((copy / "meaning.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "meaning.npz").write_bytes(data)
    vision = Vision.load(copy)
    vision.look(CHAIR.read_bytes(), Service.PRODUCT)
    with pytest.raises(ModelError, match=r"meaning\.npz was altered"):
        vision.look(CHAIR.read_bytes(), Service.PRODUCT, meaning=True)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"file": "other.npz"}, "'other.npz' is used but not listed"),
        ({"logits": "nothing"}, "meaning uses output 'nothing'"),
        ({"parts": [{"output": "depth", "weight": 1}]}, "meaning uses output 'depth'"),
        ({"gamma": 0}, "gamma and temperature must be above 0"),
        ({"temperature": -1}, "gamma and temperature must be above 0"),
        ({"keep": 0}, "keep at least 1"),
        ({"share": 1.5}, "meaning.share is 1.5"),
        ({"floor": -0.1}, "meaning.floor is -0.1"),
    ],
)
def test_a_wrong_description_is_told(copy: Path, changes: Any, problem: str) -> None:
    with pytest.raises(ModelError) as told:
        Manifest.read(rewritten(copy, **changes) / "bundle.json")
    assert problem in str(told.value)


def test_arrays_of_another_width_are_told(copy: Path) -> None:
    rewritten(copy, parts=[{"output": "embedding", "weight": 1}])
    with pytest.raises(ModelError, match="array 'mean'"):
        Vision.load(copy).look(CHAIR.read_bytes(), Service.PRODUCT, meaning=True)
