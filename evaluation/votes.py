"""What the votes of the first hits are worth for a query's category.

    python -m evaluation.votes SETFOLDER…

The category of the queries of a labelled set with sure labels, by the head alone and after the
first five hits have voted: where the catalogue's categories were given, where they were predicted,
and where nothing of the query's own product is in the catalogue. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from imagesearch.vision import View, Vision
from imagesearch_local.evaluation.labelled import Entry, LabelledSet, Question
from numpy.typing import NDArray
from rich.progress import track

ROOT = Path(__file__).parents[1]
_MOST = 20


def measure(labelled: LabelledSet, vision: Vision) -> dict[str, float]:
    """Return the share of right categories, 0…1, by what is known of the catalogue."""
    shelf = [_look(labelled, vision, entry) for entry in track(labelled.catalogue, "catalogue")]
    asked = [question for question in labelled.questions if question.sure_category is not None]
    views = [_look(labelled, vision, question) for question in track(asked, "queries")]
    likeness = np.stack([v.vector for v in views]) @ np.stack([v.vector for v in shelf]).T
    given = [entry.category_id for entry in labelled.catalogue]
    predicted = [view.category_id for view in shelf]
    others = likeness.copy()
    for row, question in zip(others, asked, strict=True):
        row[[e.product_id in question.relevant for e in labelled.catalogue]] = -1
    right = [question.sure_category for question in asked]
    return {
        "queries": len(asked),
        "head": _share([view.category_id for view in views], right),
        "given": _share(_voted(vision, views, likeness, given), right),
        "predicted": _share(_voted(vision, views, likeness, predicted), right),
        "without_product": _share(_voted(vision, views, others, given), right),
    }


def _look(labelled: LabelledSet, vision: Vision, item: Entry | Question) -> View:
    return vision.look(labelled.image(item), labelled.service)


def _voted(
    vision: Vision,
    views: Sequence[View],
    likeness: NDArray[np.float32],
    categories: Sequence[int | None],
) -> list[int]:
    told = []
    for view, row in zip(views, likeness, strict=True):
        first = np.argsort(-row, kind="stable")[:_MOST]
        known = ((categories[i], float(row[i])) for i in first)
        told.append(vision.settled(view, [(c, cosine) for c, cosine in known if c is not None]))
    return told


def _share(told: Sequence[int], right: Sequence[int | None]) -> float:
    pairs = list(zip(told, right, strict=True))
    return round(sum(one == true for one, true in pairs) / len(pairs), 4)


def main() -> None:
    """Measure the sets that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", type=Path, nargs="+", metavar="SETFOLDER")
    parser.add_argument("--bundle", type=Path, default=ROOT / "layers/models")
    chosen = parser.parse_args()
    vision = Vision.load(chosen.bundle)
    sets = {folder.name: measure(LabelledSet.read(folder), vision) for folder in chosen.sets}
    print(json.dumps({"bundle": vision.model, "sets": sets}))


if __name__ == "__main__":
    main()
