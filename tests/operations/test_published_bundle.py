"""A deployment looks with the bundle that its settings name."""

from __future__ import annotations

from pathlib import Path

import pytest
from imagesearch.errors import ModelError
from imagesearch.operations.deployment import Deployment
from imagesearch.settings import Settings
from imagesearch.vision.library import Library

from tests.stores import MemoryStore
from tests.vision.conftest import description, network, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"tiny.onnx": network().SerializeToString()}
    return write(tmp_path / "bundle", files, {**description(), "id": "own-1"})


def test_a_published_bundle_takes_the_place_of_the_layer(folder: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    settings = Settings(
        bucket="b", models=tmp_path / "nowhere", bundle="own-1", cache=tmp_path / "cache"
    )
    with pytest.raises(ModelError, match="no bundle 'own-1' is published"):
        _ = Deployment(settings, store).vision
    Library(store, tmp_path / "mine").publish(folder)
    assert Deployment(settings, store).vision.model == "own-1"


def test_without_one_the_layer_is_used(folder: Path) -> None:
    settings = Settings(bucket="b", models=folder)
    assert Deployment(settings, MemoryStore()).vision.model == "own-1"


def test_the_environment_names_it() -> None:
    environment = {"IMAGESEARCH_BUCKET": "b", "IMAGESEARCH_BUNDLE": "own-1"}
    assert Settings.from_environment(environment).bundle == "own-1"
    assert Settings.from_environment({"IMAGESEARCH_BUCKET": "b"}).bundle == ""
