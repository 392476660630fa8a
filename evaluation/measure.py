"""Measure a bundle on labelled sets, beside the baseline and the recipe it must beat.

    python -m evaluation.measure SETFOLDER… [--bundle FOLDER] [--out FOLDER]

prints a table for every set by kind and, last, one line of JSON; ``--out`` also writes each set's
reliability curve. Each picture is decoded once and its subject found once; then it is embedded
whole, in the found box and in the true box. The rows:

- *baseline*: the whole picture, the backbone's plain average pool (1,280 floats);
- *recipe*: L2(embedding, mid × weight), 1,136 floats, without a fitted map;
- *shipped*: the bundle as the service uses it, 512 signed bytes;
- *shipped, in category*: the same, only among pictures of the predicted category.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from imagesearch.catalogue import OTHER, Region, Service
from imagesearch.index import encode
from imagesearch.vision.blend import Blend
from imagesearch_local.commands.output import progress
from imagesearch_local.evaluation.charts import Line, lines
from imagesearch_local.evaluation.labelled import Entry, LabelledSet, Question
from imagesearch_local.evaluation.metrics import (
    Figures,
    Judged,
    average_precision,
    distinct,
    figures,
    first_right,
    intersection_over_union,
)
from imagesearch_local.evaluation.outcome import APART
from numpy.typing import NDArray

from evaluation.eyes import MIXED, POOL, Eyes, Said, Seen

HITS = 20
SHIPPED = "shipped, found boxes"
ROOT = Path(__file__).parents[1]
WEIGHT = {Service.FABRIC: 0.7, Service.TRADEMARK: 1.0}
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison: which box, which vector, all pictures or one category.

    ``mixed`` takes the whole picture to the found box, as the bundle says.
    """

    name: str
    box: str
    vector: Callable[[Said], Vectors]
    in_category: bool = False
    mixed: bool = False

    def of(self, seen: Seen) -> Vectors:
        """Return the vector of a picture."""
        return self.vector(seen.said[MIXED if self.mixed else self.box])


def rows_for(eyes: Eyes, service: Service) -> list[Row]:
    """Return what is compared for a service."""
    blend = Blend(eyes.bundle, service)
    weight = np.float32(WEIGHT.get(service, 0.4))
    alone = len(blend.views)

    def pool(said: Said) -> Vectors:
        return _unit(said[POOL][0])

    def recipe(said: Said) -> Vectors:
        return _unit(np.concatenate([said["embedding"][0], weight * said["mid"][0]]))

    def shipped(said: Said) -> Vectors:
        mixed = len(next(iter(said.values()))) > alone
        vector = blend.vector(said, whole=mixed)
        return _unit(encode(vector).row.astype(np.float32))

    found = [
        Row("recipe, found boxes", "found", recipe),
        Row(SHIPPED, "found", shipped, mixed=service.crops),
    ]
    true = [Row("recipe, true boxes", "true", recipe), Row("shipped, true boxes", "true", shipped)]
    category = [
        Row("shipped, found boxes, in category", "found", shipped, in_category=True, mixed=True)
    ]
    return [
        Row("baseline", "whole", pool),
        *found,
        *(true if service.crops else []),
        *(category if service.has_categories else []),
    ]


def _unit(vector: Vectors) -> Vectors:
    scaled: Vectors = vector / np.linalg.norm(vector)
    return scaled


def compare(labelled: LabelledSet, eyes: Eyes) -> dict[str, Any]:
    """Return the figures of every row in all and by kind, and the CPU milliseconds by stage."""
    catalogue = _look(labelled, eyes, labelled.catalogue, "catalogue")
    asked = _look(labelled, eyes, labelled.questions, "queries")
    measured = {
        row.name: _figures(labelled, row, catalogue, asked)
        for row in rows_for(eyes, labelled.service)
    }
    shipped = next(row for row in rows_for(eyes, labelled.service) if row.name.startswith(SHIPPED))
    stages = {name: [s.milliseconds[name] for s in asked] for name in asked[0].milliseconds}
    return {
        "rows": {
            name: {kind: f.as_dict() for kind, f in kinds.items()}
            for name, kinds in measured.items()
        },
        "reliability": _reliability(labelled, eyes, shipped, catalogue, asked),
        "cpu_ms": {name: round(float(np.mean(ms)), 2) for name, ms in stages.items()},
    }


def _look(
    labelled: LabelledSet, eyes: Eyes, items: Sequence[Entry | Question], title: str
) -> list[Seen]:
    seen = []
    with progress(f"{labelled.folder.name}, {title}", hidden=False) as begin:
        step = begin(len(items))
        for item in items:
            true = Region(*item.region) if item.region else None
            seen.append(eyes.look(labelled.image(item), true, labelled.service))
            step()
    return seen


def _figures(
    labelled: LabelledSet, row: Row, catalogue: Sequence[Seen], asked: Sequence[Seen]
) -> Mapping[str, Figures]:
    shelf = np.stack([row.of(seen) for seen in catalogue])
    categories = np.array([seen.category[row.box] for seen in catalogue])
    judged = []
    for question, seen in zip(labelled.questions, asked, strict=True):
        likeness = shelf @ row.of(seen)
        if row.in_category and seen.category[row.box] != OTHER:
            likeness[categories != seen.category[row.box]] = -np.inf
        order = [i for i in np.argsort(-likeness, kind="stable") if np.isfinite(likeness[i])]
        ranked = distinct(labelled.catalogue[i].product_id for i in order)
        judged.append(_judge(question, ranked, seen, row.box))
    kinds = dict.fromkeys(question.kind for question in labelled.questions)
    return {
        "all": figures(j for j in judged if j.kind != APART),
        **{kind: figures(j for j in judged if j.kind == kind) for kind in sorted(kinds)},
    }


def _reliability(
    labelled: LabelledSet, eyes: Eyes, row: Row, catalogue: Sequence[Seen], asked: Sequence[Seen]
) -> list[list[float]] | None:
    """Return ``[told, true, pairs]`` per tenth of the told match probability.

    The pairs are those that people see: every query with the first ``HITS`` pictures of its answer
    that are right or wrong; what is merely related is neither.
    """
    curve = eyes.manifest.calibration.get(labelled.service)
    if curve is None:
        return None
    shelf = np.stack([row.of(seen) for seen in catalogue])
    cosines, right = [], []
    for question, seen in zip(labelled.questions, asked, strict=True):
        likeness = shelf @ row.of(seen)
        for i in np.argsort(-likeness)[:HITS]:
            if labelled.catalogue[i].product_id in question.related:
                continue
            cosines.append(float(likeness[i]))
            right.append(labelled.catalogue[i].product_id in question.relevant)
    points = np.array(curve.points, np.float64)
    told = np.interp(np.array(cosines), points[:, 0], points[:, 1])
    true, tenths = np.array(right, float), np.minimum((told * 10).astype(int), 9)
    return [
        [round(float(told[at].mean()), 3), round(float(true[at].mean()), 3), int(at.sum())]
        for at in (tenths == tenth for tenth in range(10))
        if at.any()
    ]


def _judge(question: Question, ranked: Sequence[str], seen: Seen, box: str) -> Judged:
    sure, right = question.sure_category, question.relevant
    true = Region(*question.region) if question.region else None
    return Judged(
        question.kind,
        first_right(ranked, right) if right else None,
        average_precision(ranked, right) if right else None,
        None if sure is None else seen.category[box] == sure,
        intersection_over_union(true, seen.found) if true and box == "found" else None,
    )


def table(result: Mapping[str, Any]) -> Iterable[str]:
    """Yield one set's figures as lines of a Markdown table, in per cent."""
    yield "| kind | row | R@1 | R@10 | mAP | category | IoU |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    rows = result["rows"]
    names = ("recall_at_1", "recall_at_10", "map", "category_accuracy", "subject_iou")
    for kind in next(iter(rows.values())):
        for row, kinds in rows.items():
            values = [kinds[kind][name] for name in names]
            cells = " | ".join("–" if v is None else f"{100 * v:.1f}" for v in values)
            yield f"| {kind} ({kinds[kind]['queries']}) | {row} | {cells} |"


def reliability_curve(name: str, bins: Sequence[Sequence[float]]) -> str:
    """Return the curve of one set as an SVG file's text."""
    told = [(row[0], row[1]) for row in bins]
    curves = [Line("measured", told), Line("ideal", [(x, x) for x, _ in told])]
    chart = lines(curves, title=f"match probability, {name}", across="told (up: true)")
    return chart.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"


def main() -> None:
    """Measure the sets that are named and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path, nargs="+", metavar="SETFOLDER")
    parser.add_argument("--bundle", type=Path, default=ROOT / "layers/models")
    parser.add_argument("--out", type=Path, help="folder for the reliability curves")
    chosen = parser.parse_args()
    eyes = Eyes(chosen.bundle)
    results = {}
    for folder in chosen.sets:
        results[folder.name] = compare(LabelledSet.read(folder), eyes)
        print(f"\n{folder.name}\n", *table(results[folder.name]), sep="\n", flush=True)
        bins = results[folder.name]["reliability"]
        if chosen.out and bins:
            curve = reliability_curve(folder.name, bins)
            (chosen.out / f"reliability-{folder.name}.svg").write_text(curve, encoding="utf-8")
    print(json.dumps({"bundle": eyes.manifest.id, "sets": results}))


if __name__ == "__main__":
    main()
