"""Deployments in memory, with a vision that reads what to see from the picture's bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imagesearch.catalogue import OTHER, Region, Service
from imagesearch.operations.deployment import Compaction, Deployment
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.settings import Settings
from imagesearch.vision import View

from tests.simulation.bucket import Bucket

Make = Callable[..., Deployment]


class Reader:
    """Sees in ``b"seed:category"`` the vector of that seed and that predicted category."""

    model = "reader-1"
    meaning = None

    def probability(self, service: Service, cosine: float) -> float | None:  # noqa: ARG002
        return None

    def look(
        self,
        image: bytes,
        service: Service,
        *,
        region: Region | None = None,
        crop: bool = True,
        category_id: int | None = None,
        on_thumbnail: Callable[[bytes], None] | None = None,
        **_more: Any,
    ) -> View:
        if on_thumbnail:
            on_thumbnail(b"\xff\xd8 small " + image)
        seed, _, predicted = image.decode().partition(":")
        vector = np.random.default_rng(int(seed)).standard_normal(512).astype(np.float32)
        category = category_id if category_id is not None else int(predicted or OTHER)
        whole = Region.whole(100, 80)
        used = region if region and crop else whole
        return View(
            width=100,
            height=80,
            region=used,
            regions=(used,),
            category_id=category if service.has_categories else OTHER,
            vector=vector / np.linalg.norm(vector),
            took_ms={"decode": 1.0, "subject": 2.0, "embed": 3.0},
        )


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def make(bucket: Bucket, tmp_path: Path) -> Make:
    """Make another deployment on the same bucket, as another function environment would be."""

    def made(
        *,
        vision: Any = None,
        compaction: Compaction | None = None,
        store: Any = None,
        **more: Any,
    ) -> Deployment:
        settings = Settings(bucket="b", cache=tmp_path / "cache", **more)
        return Deployment(
            settings, store or bucket, vision=lambda: vision or Reader(), compaction=compaction
        )

    return made


@pytest.fixture
def deployment(make: Make) -> Deployment:
    """A deployment with the product instance ``shop``."""
    made = make()
    create_instance(made, CreateInstance(instance="shop", service=Service.PRODUCT))
    return made
