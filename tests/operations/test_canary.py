"""The canary: what it measures of healthy instances, and that it notices a search gone blind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from imagesearch.index import Answer, Query, Snapshot
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.canary import sing
from imagesearch.operations.compact import compact_all
from imagesearch.operations.deployment import Deployment

Emitted = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Emitted:
    """Return the metrics printed since the last call that a canary wrote."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImageSearch")

    def read() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [line for line in lines if "CanaryRecall" in line]

    return read


def fill(deployment: Deployment, looks: dict[tuple[str, str], int]) -> Snapshot:
    """Add pictures, each with a look of its own number, and return what is there then."""
    for (product_id, pic_name), look in looks.items():
        image = str(look).encode()
        request = AddPicture(instance="shop", product_id=product_id, pic_name=pic_name, image=image)
        add_picture(deployment, request)
    return deployment.open("shop").snapshot


def test_a_healthy_instance_finds_all_and_its_products_match(deployment: Deployment) -> None:
    looks = {(f"p{n // 2}", f"{n}.jpg"): n // 2 for n in range(60)}
    sung = sing("shop", fill(deployment, looks), seed=1)
    assert sung is not None
    assert (sung.recall, sung.matched, sung.pictures) == (1.0, 1.0, 20)
    assert sung.milliseconds > 0


def test_a_calibration_that_is_too_sure_shows_as_drift(deployment: Deployment) -> None:
    snapshot = fill(deployment, {(f"p{n // 2}", f"{n}.jpg"): n for n in range(60)})
    sung = sing("shop", snapshot, seed=1, probability=lambda score: 0.9 if score < 1 else 1.0)
    assert sung is not None
    assert sung.matched is not None
    assert sung.drift == pytest.approx(0.9 - sung.matched)
    same = fill(deployment, {(f"q{n // 2}", f"{n}.jpg"): 1000 + n // 2 for n in range(2000, 2060)})
    sung = sing("shop", same, seed=3, probability=lambda score: float(score == 1))
    assert sung is not None
    assert sung.drift == pytest.approx(0, abs=0.2)


def test_products_whose_pictures_differ_do_not_match(deployment: Deployment) -> None:
    looks = {(f"p{n // 2}", f"{n}.jpg"): n for n in range(60)}
    sung = sing("shop", fill(deployment, looks), seed=1)
    assert sung is not None
    assert sung.matched is not None
    assert sung.matched < 0.5


def test_products_of_one_picture_say_nothing_of_matching(deployment: Deployment) -> None:
    looks = {(f"p{n}", "a.jpg"): n for n in range(60)}
    sung = sing("shop", fill(deployment, looks), seed=1)
    assert sung is not None
    assert sung.matched is None


def test_a_small_instance_is_left_alone(deployment: Deployment) -> None:
    looks = {(f"p{n}", "a.jpg"): n for n in range(49)}
    assert sing("shop", fill(deployment, looks), seed=1) is None


def test_a_search_that_misses_pictures_is_noticed(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = fill(deployment, {(f"p{n}", "a.jpg"): n for n in range(60)})
    whole = Snapshot.search

    def blind(self: Snapshot, query: Query) -> Answer:
        found = whole(self, query)
        return found if query.score_threshold else replace(found, hits=found.hits[:6])

    monkeypatch.setattr(Snapshot, "search", blind)
    sung = sing("shop", snapshot, seed=1)
    assert sung is not None
    assert sung.recall == pytest.approx(6 / 11)


def test_the_daily_compaction_emits_it_by_instance(
    deployment: Deployment, emitted: Emitted
) -> None:
    fill(deployment, {(f"p{n}", "a.jpg"): n for n in range(60)})
    emitted()
    compact_all(deployment)
    (metrics,) = emitted()
    assert metrics["instance"] == "shop"
    assert metrics["CanaryRecall"] == [1.0]
    assert metrics["CanaryMs"][0] > 0


def test_a_sample_has_every_picture_alike(deployment: Deployment) -> None:
    looks = {(f"p{n}", "a.jpg"): n for n in range(40)}
    fill(deployment, looks)
    deployment.index(deployment.instances.get("shop")).maintain()
    snapshot = fill(deployment, {(f"q{n}", "a.jpg"): 100 + n for n in range(20)})
    seen: dict[str, int] = {}
    for seed in range(200):
        keys = [entry.picture.key.product_id for entry in snapshot.sample(6, seed=seed)]
        assert len(set(keys)) == 6
        for key in keys:
            seen[key] = seen.get(key, 0) + 1
    assert len(seen) == 60
    assert max(seen.values()) < 5 * min(seen.values())
    assert len(snapshot.sample(100, seed=0)) == 60
