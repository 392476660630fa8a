"""Pictures and looks to test with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from imagesearch.catalogue import OTHER, Attributes, Picture, PictureKey, Region
from imagesearch.index import Entry, Features, Index, Policy, encode
from numpy.typing import NDArray

from tests.stores import MemoryStore

PREFIX = "i/"


def vector(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(512, np.float32)


def look(seed: int, noise: float = 0.0) -> Features:
    around = vector(seed) + noise * vector(seed + 1_000_003)
    return encode(around.astype(np.float32))


def key(product: object, name: object = "a") -> PictureKey:
    return PictureKey(str(product), str(name))


def entry(
    product: object,
    name: object = "a",
    *,
    seed: int | None = None,
    features: Features | None = None,
    category: int = OTHER,
    **attributes: int | str | None,
) -> Entry:
    seed = hash((str(product), str(name))) % 10**6 if seed is None else seed
    picture = Picture(
        key(product, name),
        category,
        Region(0, 10, 0, 20),
        Attributes(**attributes),  # type: ignore[arg-type]
    )
    return Entry(picture, features or look(seed))


def index_at(store: MemoryStore, prefix: str = PREFIX, **options: Path) -> Index:
    return Index(store, prefix, model="m", policy=Policy(parallel=1), **options)
