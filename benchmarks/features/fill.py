"""Fill an instance: ``python fill.py NAME PICTURES FEATURE…``, with the tree that is on the path.

The pictures are made up; the features, of which an older tree knows none, are ``meanings``,
``thumbnails`` (where each is, not the small pictures themselves: a search reads none) and
``classes``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from imagesearch.catalogue import Instance, InstanceRegister, Picture, PictureKey, Region, Service
from imagesearch.catalogue.picture import Attributes
from imagesearch.index import Entry, Index, encode
from imagesearch.storage.s3 import S3ObjectStore, connect

BATCH = 500
CATEGORIES = 14


def main() -> None:
    """Make the instance, write the pictures, and fold them."""
    name, pictures, features = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    store = S3ObjectStore(
        connect(endpoint=os.environ["AWS_ENDPOINT_URL_S3"]), os.environ["IMAGESEARCH_BUCKET"]
    )
    bundle = Path(os.environ["IMAGESEARCH_MODELS"], "bundle.json").read_bytes()
    model = msgspec.json.decode(bundle)["id"]
    instance = Instance.new(name, Service.PRODUCT, model=model, now=time.time_ns() // 1000)
    with tempfile.TemporaryDirectory() as cache:
        index = Index(store, instance.prefix, model=model, cache=Path(cache))
        index.create()
        chance = np.random.default_rng(1)
        for first in range(0, pictures, BATCH):
            numbers = range(first, min(first + BATCH, pictures))
            index.append([entry(chance, n, features) for n in numbers], after=index.snapshot())
        while index.fold():
            pass
    InstanceRegister(store).add(instance)


def entry(chance: np.random.Generator, number: int, features: Collection[str]) -> Entry:
    """Return a picture with what the features add to it."""
    look, meaning = (v / np.linalg.norm(v) for v in chance.standard_normal((2, 512)))
    more: dict[str, Any] = {}
    if "thumbnails" in features:
        more["thumbnail"] = f"{number // BATCH:032x}-{number % BATCH * 8000}-8000"
    if "classes" in features:
        more["classes"] = (number % 1000, (number + 1) % 1000, (number + 2) % 1000)
    key = PictureKey(f"product-{number}", "front.jpg")
    category = number % CATEGORIES
    picture = Picture(key, category, Region(0, 99, 0, 99), Attributes(), **more)
    if "meanings" in features:
        return Entry.of(picture, look.astype(np.float32), meaning.astype(np.float32))
    return Entry(picture, encode(look.astype(np.float32)))


if __name__ == "__main__":
    main()
