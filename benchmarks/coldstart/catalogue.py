"""An instance of made-up pictures: what they look like does not matter, how many there are does."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np
from imagesearch.catalogue import Instance, InstanceRegister, Picture, PictureKey, Region, Service
from imagesearch.catalogue.picture import Attributes
from imagesearch.index import Entry, Index, encode
from imagesearch.storage.s3 import S3ObjectStore, connect

__all__ = ["fill"]

NAME = "bench"
_BATCH = 500


def fill(variables: dict[str, str], models: Path, pictures: int) -> None:
    """Make the product instance ``bench`` with ``pictures`` pictures of all categories, folded."""
    os.environ.update(variables | {"AWS_DEFAULT_REGION": "us-east-1"})
    store = S3ObjectStore(
        connect(endpoint=variables["AWS_ENDPOINT_URL_S3"]), variables["IMAGESEARCH_BUCKET"]
    )
    model = msgspec.json.decode((models / "bundle.json").read_bytes())["id"]
    instance = Instance.new(NAME, Service.PRODUCT, model=model, now=time.time_ns() // 1000)
    with tempfile.TemporaryDirectory() as cache:
        index = Index(store, instance.prefix, model=model, cache=Path(cache))
        index.create()
        rng = np.random.default_rng(1)
        for first in range(0, pictures, _BATCH):
            entries = [_entry(rng, n) for n in range(first, min(first + _BATCH, pictures))]
            index.append(entries, after=index.snapshot())
        while index.fold():
            pass
    InstanceRegister(store).add(instance)


def _entry(rng: np.random.Generator, number: int) -> Entry:
    vector = rng.standard_normal(512).astype(np.float32)
    picture = Picture(
        PictureKey(f"product-{number}", "front.jpg"),
        number % 14,
        Region(0, 99, 0, 99),
        Attributes(),
    )
    return Entry(picture, encode(vector / np.linalg.norm(vector)))
