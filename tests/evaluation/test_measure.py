"""The comparison with baseline and recipe, on a set of a few pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from imagesearch.vision import Vision
from imagesearch_local.evaluation.labelled import LabelledSet

from evaluation.eyes import Eyes
from evaluation.measure import compare, reliability_curve, table
from evaluation.votes import measure
from tests.pictures import as_bytes, drawn
from tests.vision.conftest import MODELS


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    if not (MODELS / "bundle.json").exists():
        pytest.skip("layers/models has no bundle.json: run python -m tools.models build")
    return Eyes(MODELS)


@pytest.mark.parametrize("service", ["product", "fabric"])
def test_every_row_finds_the_same_picture_again(eyes: Eyes, tmp_path: Path, service: str) -> None:
    catalogue, questions = [], []
    for seed in range(3):
        (tmp_path / f"{seed}.png").write_bytes(as_bytes(drawn(seed), "PNG"))
        item = {"file": f"{seed}.png", "category_id": 9, "region": [0, 160, 0, 120]}
        entry = {"service": service, "product_id": f"p{seed}", "pic_name": "a"}
        catalogue.append({**item, **entry})
        questions.append({**item, "query_id": f"q{seed}", "kind": "same", "relevant": [f"p{seed}"]})
    for name, lines in (("catalog", catalogue), ("queries", questions)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    result = compare(LabelledSet.read(tmp_path), eyes)
    rows = {name: kinds["all"] for name, kinds in result["rows"].items()}
    boxes = {"recipe, true boxes", "shipped, true boxes", "shipped, found boxes, in category"}
    assert boxes.isdisjoint(rows) == (service == "fabric")
    assert {figures["recall_at_1"] for figures in rows.values()} == {1.0}
    assert set(result["cpu_ms"]) == {"decode", "subject"}
    assert len(list(table(result))) == 2 + 2 * len(rows)


def test_votes_tell_a_query_what_the_catalogue_knows(eyes: Eyes, tmp_path: Path) -> None:
    catalogue, questions = [], []
    for seed in range(4):
        (tmp_path / f"{seed}.png").write_bytes(as_bytes(drawn(seed), "PNG"))
        item = {"file": f"{seed}.png", "category_id": (1, 4, 9, 21)[seed]}
        entry = {"service": "product", "product_id": f"p{seed}", "pic_name": "a"}
        catalogue.append({**item, **entry})
        questions.append({**item, "query_id": f"q{seed}", "relevant": [f"p{seed}"]})
    for name, lines in (("catalog", catalogue), ("queries", questions)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    groups = measure(LabelledSet.read(tmp_path), Vision.load(eyes.bundle.folder))
    told = groups["all"]
    assert groups["21"]["queries"] == 1
    assert (told["queries"], told["given"]) == (4, 1.0)
    assert told["predicted"] == told["head"]
    assert told["without_product"] < 1
    assert told["in_reach"] == 1.0


def test_a_reliability_curve_is_a_picture() -> None:
    curve = reliability_curve("product", [[0.1, 0.2, 40], [0.9, 0.8, 10]])
    assert curve.startswith('<svg xmlns="http://www.w3.org/2000/svg" ')
    assert curve.count("<polyline") == 2
