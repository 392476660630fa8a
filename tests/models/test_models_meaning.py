"""The names that the map to meanings is fitted on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tools.models.bundle import FITTED, weights_digest
from tools.models.collect import Item
from tools.models.meaning import _found, _is_fit, _mapped, _solve, label_of


def item(kind: str, source: str, label: str) -> Item:
    return Item("f.png", kind, source, "c", label)


@pytest.mark.parametrize(
    ("kind", "label", "wanted"),
    [
        ("emoji", "alarm-clock", "alarm clock"),
        ("model", "Living room Chair", "chair"),
        ("model", "Bathroom Radiator", "radiator"),
        ("model", "Doors and windows Door frame", "door frame"),
        ("model", "Kitchen Plate, glass and cutlery", "plate, glass and cutlery"),
    ],
)
def test_a_name_is_the_things_own(kind: str, label: str, wanted: str) -> None:
    assert label_of(item(kind, "s", label)) == wanted


@pytest.mark.parametrize(
    ("kind", "source", "label", "fit"),
    [
        ("emoji", "@iconify-json/noto", "accordion", True),
        ("emoji", "@iconify-json/noto", "grinning-face", False),
        ("emoji", "@iconify-json/noto", "flag-france", False),
        ("emoji", "@iconify-json/fluent-emoji-flat", "accordion", False),
        ("model", "sweethome3d-furniture", "Kitchen Cup", True),
        ("texture", "sweethome3d-furniture", "wood", False),
        ("clipart", "openclipart-png", "fruit apple", False),
    ],
)
def test_only_named_things_of_clean_licence_are_fitted_on(
    kind: str, source: str, label: str, fit: bool
) -> None:
    assert _is_fit(item(kind, source, label)) is fit


def test_nothing_that_an_evaluation_asks_with_was_fitted_on() -> None:
    fitted = json.loads((FITTED / "meaning.json").read_text())
    lines = (FITTED.parent / "kept_aside.txt").read_text().splitlines()
    asked = {line.partition(" ")[0] for line in lines if not line.startswith("#")}
    assert not asked & set(fitted["sources"])


def test_the_fitted_map_belongs_to_the_shipped_embedder() -> None:
    fitted = json.loads((FITTED / "meaning.json").read_text())
    models = FITTED.parents[2] / "layers/models"
    assert fitted["embedder"] == weights_digest(models / "embedder.onnx", heads=False)
    assert (models / "meaning.npz").read_bytes() == (FITTED / "meaning.npz").read_bytes()


def test_the_map_learns_what_it_is_shown() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 300)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = rng.standard_normal((300, 512)).astype(np.float32)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    near = (_mapped(_solve(x, y), x) * y).sum(axis=1)
    assert near.min() > 0.6


def test_figures_count_first_right_pictures() -> None:
    places = np.eye(3, dtype=np.float32)
    targets = {"a": places[0], "b": places[0]}
    assert _found(places, ["a", "b", "c"], targets) == {"R@1": 50.0, "R@10": 100.0}
