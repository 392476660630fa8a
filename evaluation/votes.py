"""What the head and the votes of the first hits are worth for a picture's category.

    python -m evaluation.votes SETFOLDER…

The category of the queries of a labelled set with sure labels, in all, by kind and by category: by
the head alone, also in the true box, and after the first five hits have voted: where the
catalogue's categories were given, where they were predicted, and where nothing of the query's own
product is in the catalogue. *Two guesses*: the right one is among the head's two likeliest; *in
reach*: it is that or the given category of one of the five hits, so no way of counting these votes
can do better. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from imagesearch.catalogue import Region
from imagesearch.vision import View, Vision
from imagesearch_local.evaluation.labelled import Entry, LabelledSet, Question
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).parents[1]
_MOST = 20
_REACH = 5
COLUMNS = (
    "head",
    "true_box",
    "two_guesses",
    "given",
    "predicted",
    "without_product",
    "in_reach",
)


def measure(labelled: LabelledSet, vision: Vision) -> dict[str, dict[str, float]]:
    """Return the shares of right categories, 0…1, by ``COLUMNS`` of each group of the queries."""
    shelf = [_look(labelled, vision, entry) for entry in track(labelled.catalogue, "catalogue")]
    asked = [question for question in labelled.questions if question.sure_category is not None]
    views = [_look(labelled, vision, question) for question in track(asked, "queries")]
    boxed = [_look(labelled, vision, question, true=True) for question in track(asked, "in box")]
    likeness = np.stack([v.vector for v in views]) @ np.stack([v.vector for v in shelf]).T
    given = [entry.category_id for entry in labelled.catalogue]
    others = likeness.copy()
    for row, question in zip(others, asked, strict=True):
        row[[e.product_id in question.relevant for e in labelled.catalogue]] = -1
    right = [question.sure_category for question in asked]
    guesses = [set(sorted(v.chances, key=lambda c: -v.chances[c])[:2]) for v in views]
    told: dict[str, NDArray[np.bool_]] = {
        "head": _equal([view.category_id for view in views], right),
        "true_box": _equal([view.category_id for view in boxed], right),
        "two_guesses": np.array([r in g for r, g in zip(right, guesses, strict=True)]),
        "given": _equal(_voted(vision, views, likeness, given), right),
        "predicted": _equal(
            _voted(vision, views, likeness, [view.category_id for view in shelf]), right
        ),
        "without_product": _equal(_voted(vision, views, others, given), right),
    }
    told["in_reach"] = told["two_guesses"] | _reached(likeness, given, right)
    return {name: _shares(told, inside) for name, inside in _groups(asked).items()}


def _groups(asked: Sequence[Question]) -> dict[str, NDArray[np.bool_]]:
    groups = {"all": np.ones(len(asked), bool)}
    for kind in sorted({question.kind for question in asked}):
        groups[kind] = np.array([question.kind == kind for question in asked])
    for category in sorted({question.category_id or 0 for question in asked}):
        groups[str(category)] = np.array([q.category_id == category for q in asked])
    return groups


def _shares(told: Mapping[str, NDArray[np.bool_]], inside: NDArray[np.bool_]) -> dict[str, float]:
    shares = {name: round(float(told[name][inside].mean()), 4) for name in COLUMNS}
    return {"queries": int(inside.sum()), **shares}


def _reached(
    likeness: NDArray[np.float32], given: Sequence[int | None], right: Sequence[int | None]
) -> NDArray[np.bool_]:
    first = np.argsort(-likeness, axis=1, kind="stable")[:, :_REACH]
    return np.array(
        [true in {given[i] for i in row} for row, true in zip(first, right, strict=True)]
    )


def _look(
    labelled: LabelledSet, vision: Vision, item: Entry | Question, *, true: bool = False
) -> View:
    region = Region(*item.region) if true and item.region else None
    return vision.look(labelled.image(item), labelled.service, region=region)


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


def _equal(told: Sequence[int], right: Sequence[int | None]) -> NDArray[np.bool_]:
    return np.array([one == true for one, true in zip(told, right, strict=True)])


def _show(name: str, groups: Mapping[str, Mapping[str, float]]) -> None:
    table = Table("group", "queries", *COLUMNS, title=f"{name}: right categories, %")
    for group, shares in groups.items():
        told = [f"{100 * shares[column]:.1f}" for column in COLUMNS]
        table.add_row(group, str(shares["queries"]), *told)
    Console(stderr=True).print(table)


def main() -> None:
    """Measure the sets that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", type=Path, nargs="+", metavar="SETFOLDER")
    parser.add_argument("--bundle", type=Path, default=ROOT / "layers/models")
    chosen = parser.parse_args()
    vision = Vision.load(chosen.bundle)
    sets = {folder.name: measure(LabelledSet.read(folder), vision) for folder in chosen.sets}
    for name, groups in sets.items():
        _show(name, groups)
    print(json.dumps({"bundle": vision.model, "sets": sets}))


if __name__ == "__main__":
    main()
