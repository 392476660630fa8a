"""The evaluation of text search: which pictures count, under which names, and the figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.text import Shown, figures, name_of, pictures, shares


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("animals/birds/chicken_profile", "chicken profile"),
        ("Strawberry2", "strawberry"),
        ("T-Shirt", "t shirt"),
        ("photo", ""),
        ("distractor:food", ""),
    ],
)
def test_a_name_is_what_the_label_says_of_the_thing(label: str, name: str) -> None:
    assert name_of(label) == name


def test_pictures_of_fitted_sources_are_left_out(tmp_path: Path) -> None:
    catalog = [
        {"product_id": "1", "file": "1.jpg", "label": "Cat", "region": None, "source": "fitted"},
        {
            "product_id": "2",
            "file": "2.jpg",
            "label": "Dog",
            "region": [0, 1, 0, 1],
            "source": "other",
            "style": "photo-cutout",
        },
    ]
    queries = [
        {"file": "3.jpg", "kind": "vendor", "relevant": ["1"], "region": None, "source": "hand"},
        {"file": "4.jpg", "kind": "composite", "relevant": ["2"], "region": None, "source": "o"},
        {"file": "5.jpg", "kind": "vendor", "relevant": [], "region": None, "source": "hand"},
    ]
    for name, records in (("catalog", catalog), ("queries", queries)):
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (tmp_path / f"{name}.jsonl").write_text(lines)
    assert list(pictures(tmp_path, {"fitted"})) == [
        Shown(tmp_path / "2.jpg", [0, 1, 0, 1], "dog", True),
        Shown(tmp_path / "3.jpg", None, "cat", False),
    ]


def test_a_share_counts_rare_words_for_more() -> None:
    words = [
        frozenset({"red"}),
        frozenset({"red", "shoe"}),
        frozenset({"shoe"}),
        frozenset({"red"}),
    ]
    red, both, shoe, _ = shares("red shoes", words).tolist()
    assert both == pytest.approx(1)
    assert red + shoe == pytest.approx(1)
    assert red < shoe


def test_figures_of_a_known_order() -> None:
    names = ["a", "b", "a", "c"]
    scores = [np.array(row, np.float32) for row in ([4, 3, 2, 1], [4, 3, 2, 1])]
    found = figures(scores, names, ["a", "c"])
    assert (found["queries"], found["R@1"], found["R@10"]) == (2, 50.0, 100.0)
    assert found["mAP"] == pytest.approx(100 * ((1 + 2 / 3) / 2 + 1 / 4) / 2, abs=0.1)
    assert found["median rank"] == 2 + 1 - 1
