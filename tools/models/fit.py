"""Fit statistics, maps and category head on the views in the cache."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.models.category import Labelled, fit_category
from tools.models.collect import read_items
from tools.models.contrast import contrastive_map
from tools.models.drawings import drawings
from tools.models.embedder import MID_WEIGHT, Statistics
from tools.models.further import FURTHER, further_items
from tools.models.groups import IDS
from tools.models.labels import category_of
from tools.models.packages import Say
from tools.models.prediction import category_inputs, fold_category
from tools.models.render import read_views
from tools.models.sources import SOURCES
from tools.models.statistics import combine, describe, fit_layout, fit_statistics, lay_out
from tools.models.views import KINDS, Views, make_views
from tools.models.whiten import within_class_map

__all__ = ["SERVICES", "fit", "fit_head", "fit_subject"]

Array = NDArray[np.floating[Any]]
Map = tuple[NDArray[np.float16], NDArray[np.float16]]
_Described = tuple[Array, Array, Array | None]

_SUBJECTS = ("view", "emoji", "styled", "clipart", "photo")
SERVICES: dict[str, tuple[str, tuple[str, ...], float, float, int]] = {
    "product": ("product", _SUBJECTS, 0.7, 0.3, 120),
    "generic": ("product", _SUBJECTS, 0.7, 0.3, 120),
    "fabric": ("fabric", ("cloth",), 0.7, 0.3, 120),
    "trademark": ("trademark", ("mark",), 1.0, 0.3, 120),
}
"""Service → name of its map, kinds it is fitted on, weight of ``mid``, ridge, steps of InfoNCE."""

_OF_SUBJECT = ("product", "trademark")
"""The maps that take the subject's outputs; they wait for the decoder."""

_LABELLED = {
    "view": 1.0,
    "emoji": 1.0,
    "styled": 1.0,
    "clipart": 0.7,
    "rare": 1.0,
    "drawn": 1.0,
    "icon": 1.0,
    "scarce": 1.0,
    "clip": 0.7,
    "shop": 1.0,
}
_PREFIXES = {"model": "view"}
_HEAD_ONLY = ("rare", "drawn", "icon", "scarce", "clip", "shop")
_STATISTICS_VIEWS = 6000
_KEPT = 16
_LENGTH = 6.0
_VIEWS = {"fabric": ["plain", "turn", "centre"], "trademark": ["plain", "ink"]}
_WHOLE = {"product": 0.5, "generic": 0.5, "trademark": 1.0}
"""Weight of the whole picture beside a found subject; .25 to 1 are equal on the trials."""


def fit(cache: Path, out: Path, say: Say = print) -> dict[str, Any]:
    """Fit what needs no decoder on the views in the cache, write it to ``out``, tell of it.

    That is the statistics, the maps but for the subject's, and the category head.
    """
    views = {kind: make_views(kind, cache, say=say) for kind in KINDS}
    statistics = _fit_statistics(views)
    _save(out / "statistics.npz", statistics)
    _save(out / "maps.npz", _fit_maps(views, statistics, say, of_subject=False))
    _note(
        out,
        services={service: _service(service) for service in SERVICES},
        views={kind: _about(view) for kind, view in views.items()},
    )
    counts = fit_head(cache, out, say)
    return {"views": sum(len(v.head) for v in views.values()), "labelled": counts}


def fit_subject(cache: Path, out: Path, say: Say = print) -> dict[str, Any]:
    """Fit statistics and maps of what is pooled by the mask of the decoder in ``out``."""
    decoder = _arrays(out / "decoder.npz")
    kinds = {k for name, kinds, *_ in SERVICES.values() if name in _OF_SUBJECT for k in kinds}
    views = {
        kind: make_views(kind, cache, decoder=decoder, say=say) for kind in KINDS if kind in kinds
    }
    statistics = _fit_statistics(views)
    named = {
        name if name.startswith("layout.") else f"subject_{name}": array
        for name, array in statistics.items()
    }
    _save(out / "statistics.npz", named)
    _save(out / "maps.npz", _fit_maps(views, statistics, say, of_subject=True))
    _note(out, services={service: _service(service) for service in SERVICES})
    return {"views": sum(len(v.head) for v in views.values())}


def _fit_maps(
    views: Mapping[str, Views], statistics: Statistics, say: Say, *, of_subject: bool
) -> dict[str, NDArray[np.float16]]:
    described = {kind: _described(view, statistics) for kind, view in views.items()}
    arrays: dict[str, NDArray[np.float16]] = {}
    for service, (name, kinds, weight, _, _) in SERVICES.items():
        if f"{name}.mean" in arrays or (name in _OF_SUBJECT) != of_subject:
            continue
        v, thing = _stack(views, described, kinds, weight)
        say(f"map {name}: {len(v)} views of {thing.max() + 1} things")
        arrays[f"{name}.mean"], arrays[f"{name}.matrix"] = _fit_map(service, v, thing, say)
    return arrays


def _fit_statistics(views: Mapping[str, Views]) -> dict[str, NDArray[np.float16]]:
    used = [view for kind, view in views.items() if kind not in _HEAD_ONLY]
    head = np.concatenate([view.head for view in used])
    blocks = np.concatenate([view.blocks for view in used])
    chosen = np.random.default_rng(0).permutation(len(head))[:_STATISTICS_VIEWS]
    fitted = fit_statistics(head[chosen], blocks[chosen])
    cells = np.concatenate([view.cells for view in used])
    return fitted | (fit_layout(cells[chosen]) if cells.size else {})


def _described(view: Views, statistics: Statistics) -> _Described:
    layout = lay_out(view.cells, statistics) if view.cells.size else None
    return *describe(view.head, view.blocks, statistics), layout


def _stack(
    views: Mapping[str, Views],
    described: Mapping[str, _Described],
    kinds: Sequence[str],
    weight: float,
) -> tuple[Array, NDArray[np.int64]]:
    """Return the vectors of several kinds and the number of the thing each shows, by its name."""
    vectors = []
    for kind in kinds:
        embedding, mid, layout = described[kind]
        vectors.append(combine(embedding, mid, weight, layout))
    names = [name for kind in kinds for name in np.array(views[kind].names)[views[kind].thing]]
    return np.concatenate(vectors), np.unique(names, return_inverse=True)[1]


def _fit_map(service: str, v: Array, thing: NDArray[np.int64], say: Say) -> Map:
    _, _, _, ridge, steps = SERVICES[service]
    used = thing % _KEPT >= 2
    v, thing = v[used], np.unique(thing[used], return_inverse=True)[1]
    fitted = within_class_map(v, thing, ridge=ridge)
    return contrastive_map(v, thing, fitted, steps=steps, say=say) if steps else fitted


def fit_head(cache: Path, fitted: Path, say: Say = print) -> dict[str, int]:
    """Fit the category head on the statistics in ``fitted``; return the labelled views.

    Linear layer and gallery work on vectors mapped as a product's are, but pooled over the whole
    crop; that map is folded into them.
    """
    statistics = _arrays(fitted / "statistics.npz")
    mean, matrix = (part.astype(np.float32) for part in _category_map(cache, statistics, say))
    label = {item.concept: item.label for item in read_items(cache)}
    label |= {item.concept: item.label for item in read_views(cache)}
    label |= {name: str(drawing.category) for name, drawing in drawings().items()}
    label |= {item.concept: item.label for kind in FURTHER for item in further_items(kind, cache)}
    white, logits, weight = [], [], []
    column: list[int] = []
    pictures: list[str] = []
    for kind, share in _LABELLED.items():
        view = make_views(kind, cache, say=say)
        kinds = [name.partition(":")[0] for name in view.names]
        told = [
            category_of(_PREFIXES.get(of, of), label[name])
            for of, name in zip(kinds, view.names, strict=True)
        ]
        known = np.array([told[thing] is not None for thing in view.thing])
        v = combine(*describe(view.head, view.blocks, statistics), MID_WEIGHT)[known]
        white.append((v - mean) @ matrix)
        logits.append(view.logits[known])
        column += [IDS.index(told[thing] or 0) for thing in view.thing[known]]
        pictures += [f"{view.names[thing]} {kind}" for thing in view.thing[known]]
        weight.append(np.full(int(known.sum()), share, np.float32))
    x = np.concatenate(white)
    length = _LENGTH / float(np.linalg.norm(x, axis=1).mean())
    views = Labelled(
        white=x,
        inputs=category_inputs(x * length, np.concatenate(logits)),
        column=np.array(column),
        weight=np.concatenate(weight),
        picture=np.unique(pictures, return_inverse=True)[1],
    )
    head = fold_category(fit_category(views), mean, matrix, length)
    np.savez(fitted / "category.npz", **head)
    found = Counter(IDS[c] for c in column)
    counts = {str(id_): found[id_] for id_ in IDS}
    _note(fitted, labelled=counts)
    return counts


def _category_map(cache: Path, statistics: Statistics, say: Say) -> Map:
    views = {kind: make_views(kind, cache, say=say) for kind in _SUBJECTS}
    described = {kind: _described(view, statistics) for kind, view in views.items()}
    return _fit_map("product", *_stack(views, described, _SUBJECTS, MID_WEIGHT), say)


def _save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays beside those that the file has."""
    np.savez(path, **{**(_arrays(path) if path.exists() else {}), **arrays})


def _note(fitted: Path, **said: object) -> None:
    """Change these parts of ``settings.json``."""
    path = fitted / "settings.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | said
    path.write_text(json.dumps(settings, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _service(service: str) -> dict[str, Any]:
    name, _, weight, _, _ = SERVICES[service]
    whose = "subject_" if name in _OF_SUBJECT else ""
    return {
        "parts": [
            {"output": f"{whose}embedding", "weight": 1.0},
            {"output": f"{whose}mid", "weight": weight},
            *([{"output": "layout", "weight": weight}] if whose else []),
        ],
        "map": {"file": "maps.npz", "mean": f"{name}.mean", "matrix": f"{name}.matrix"},
        "views": _VIEWS.get(service, ["plain"]),
        **({"whole": _WHOLE[service]} if service in _WHOLE else {}),
    }


def _about(view: Views) -> dict[str, Any]:
    sources = ["our own drawings, `drawings.txt`"] if view.names[0].startswith("drawn:") else []
    sources += [
        f"{SOURCES[name].name} {SOURCES[name].version}, {SOURCES[name].licence}: {count} pictures"
        for name, count in sorted(view.sources.items())
    ]
    return {"views": len(view.head), "things": len(view.names), "pictures": sources}
