"""What a dislike is worth: ``python -m evaluation.feedback SETFOLDER…``.

A search for a picture, and the same search with one stored picture disliked, added up as
``POST …/search {"query": […]}`` does. Two stories:

- *two things*: the query shows two products beside each other, the whole of it is liked, and the
  stored picture of one product is disliked; right is the other. 200 pairs by a fixed seed.
- *near miss*: the query shows one product, disliked is the first wrong hit among the first ten,
  which is then taken out of both rankings.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
from imagesearch.errors import ImageSearchError
from imagesearch.index import encode
from imagesearch.vision import Vision
from imagesearch_local.evaluation.labelled import Entry, LabelledSet, Question
from imagesearch_local.evaluation.metrics import average_precision, distinct
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

Vectors = NDArray[np.float32]
Item = TypeVar("Item", Entry, Question)
WEIGHTS = (-0.1, -0.25, -0.5, -1.0)
_SEEN = 10
_PAIRS = 200


def main() -> None:
    """Print a table and a line of JSON for each set."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.feedback", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--bundle", type=Path, default=Path("layers/models"))
    given = parser.parse_args()
    vision = Vision.load(given.bundle)
    for folder in given.folders:
        labelled = LabelledSet.read(folder)
        figures = _measure(vision, labelled)
        for mark, rows in figures.items():
            print(f"\n{folder.name}, {mark} ({rows['queries']:.0f} queries)  mAP")
            for name, value in rows.items():
                if name != "queries":
                    print(f"  {name:<20}{100 * value:5.1f}")
        print(json.dumps({"set": folder.name, **figures}))


def _measure(vision: Vision, labelled: LabelledSet) -> dict[str, dict[str, float]]:
    questions = [question for question in labelled.questions if question.relevant]
    catalogue = _vectors(vision, labelled, labelled.catalogue)
    products = [entry.product_id for entry, _ in catalogue]
    rows = np.stack([vector for _, vector in catalogue])
    near: list[list[float]] = []
    for question, query in _vectors(vision, labelled, questions):
        order = np.argsort(-(rows @ query), kind="stable")[:_SEEN].tolist()
        wrong = next((i for i in order if products[i] not in question.relevant), None)
        if wrong is not None:
            right = set(question.relevant)
            near.append(
                [
                    _judge(rows, products, right, query + weight * rows[wrong], without=wrong)
                    for weight in (0.0, *WEIGHTS)
                ]
            )
    two: list[list[float]] = []
    for query, wanted, unwanted in _pairs(vision, labelled, questions):
        disliked = next((i for i, name in enumerate(products) if name in unwanted), None)
        if disliked is not None:
            two.append(
                [
                    _judge(rows, products, wanted, query + weight * rows[disliked])
                    for weight in (0.0, *WEIGHTS)
                ]
            )
    return {"two things": _means(two), "near miss": _means(near)}


def _pairs(
    vision: Vision, labelled: LabelledSet, questions: Sequence[Question]
) -> Iterator[tuple[Vectors, set[str], set[str]]]:
    """Yield the vector of two queries' pictures side by side, and the products of each."""
    draw = np.random.default_rng(0)
    for _ in track(range(_PAIRS), labelled.folder.name, transient=True):
        first, second = draw.choice(len(questions), 2, replace=False).tolist()
        wanted, unwanted = set(questions[first].relevant), set(questions[second].relevant)
        if wanted & unwanted:
            continue
        pictures = [
            Image.open(io.BytesIO(labelled.image(questions[n]))).convert("RGB").resize((300, 300))
            for n in (first, second)
        ]
        both = Image.new("RGB", (600, 300))
        for place, picture in enumerate(pictures):
            both.paste(picture, (300 * place, 0))
        file = io.BytesIO()
        both.save(file, "PNG")
        yield _vector(vision, file.getvalue(), labelled, crop=False), wanted, unwanted


def _judge(
    rows: Vectors,
    products: Sequence[str],
    right: set[str],
    direction: Vectors,
    *,
    without: int | None = None,
) -> float:
    """Return the average precision of a direction, without one picture."""
    order = np.argsort(-(rows @ direction), kind="stable").tolist()
    return average_precision(distinct(products[i] for i in order if i != without)[:100], right)


def _means(rows: list[list[float]]) -> dict[str, float]:
    names = ["liked alone", *(f"disliked {weight}" for weight in WEIGHTS)]
    means = np.mean(rows, axis=0).tolist()
    return {"queries": len(rows), **dict(zip(names, means, strict=True))}


def _vectors(
    vision: Vision, labelled: LabelledSet, items: Sequence[Item]
) -> list[tuple[Item, Vectors]]:
    """Return items with their vectors as they are stored; refused pictures are left out."""
    found = []
    for item in track(items, labelled.folder.name, transient=True):
        with suppress(ImageSearchError):
            found.append((item, _vector(vision, labelled.image(item), labelled)))
    return found


def _vector(vision: Vision, image: bytes, labelled: LabelledSet, *, crop: bool = True) -> Vectors:
    view = vision.look(image, labelled.service, crop=crop)
    row = encode(view.vector).row.astype(np.float32)
    return row / np.float32(np.linalg.norm(row))


if __name__ == "__main__":
    main()
