from pathlib import Path

import pytest
from imagesearch.words.encoder import Encoder
from imagesearch.words.pack import installed, pack


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    resources = installed()
    if resources is None:
        pytest.skip("the package with the text encoder is not installed: pip install -e '.[local]'")
    folder = tmp_path_factory.mktemp("words")
    pack(resources, folder)
    return folder


@pytest.fixture(scope="session")
def encoder(encoder_folder: Path) -> Encoder:
    return Encoder(encoder_folder)
