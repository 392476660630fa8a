"""Calibrate a finished bundle on its trials: how likely a hit of a search is the right thing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from imagesearch.catalogue import Service
from imagesearch.vision.blend import Blend
from imagesearch.vision.bundle import Bundle
from imagesearch_local.calibration import calibrated, calibration_points, reliability
from numpy.typing import NDArray

from tools.models.packages import Say
from tools.models.trials import Trials, make_rivals, make_trials

__all__ = ["calibrate", "hits_of"]

Rows = NDArray[np.float32]
Truth = NDArray[np.bool_]

_HITS = 20
_CATALOGUE = {Service.TRADEMARK: 4000, Service.FABRIC: 4000}
"""Pictures that a hit is found among, 1,000 unless listed: marks and cloths have many alike."""

_SAME = {Service.GENERIC: Service.PRODUCT}
_ASKED = {Service.PRODUCT: ("view",)}
"""Kinds of things that are asked for, unless all: products are solid things."""


def calibrate(
    bundle: Path,
    cache: Path,
    fitted: Path,
    services: Sequence[Service] = tuple(Service),
    *,
    most: int,
    say: Say = print,
) -> dict[str, Any]:
    """Fit these services' curves and write them, with reliability, into ``settings.json``.

    The curve that is kept saw all trials; the reliability is that of two curves, each fitted on
    one half of the things and judged on the other.
    """
    settings = json.loads((fitted / "settings.json").read_text(encoding="utf-8"))
    opened = Bundle(bundle)
    for service in services:
        shown = _SAME.get(service, service)
        trials = make_trials(shown, bundle, cache, most=most, say=say)
        if service in _ASKED:
            trials = trials.of_kinds(_ASKED[service])
        missing = max(0, _CATALOGUE.get(service, 1000) - len(trials.catalogue))
        rivals = make_rivals(shown, bundle, cache, missing, say=say)
        scores, truth, asked = hits_of(opened, service, trials, rivals)
        settings["calibration"][service.value] = {"points": calibration_points(scores, truth)}
        settings["reliability"][service.value] = {
            "things": len(np.unique(asked)),
            "bins": _crossed(scores, truth, asked % 2 == 0),
        }
    text = json.dumps(settings, indent=1, ensure_ascii=False) + "\n"
    (fitted / "settings.json").write_text(text, encoding="utf-8")
    return {s: told["things"] for s, told in settings["reliability"].items()}


def hits_of(
    bundle: Bundle, service: Service, trials: Trials, rivals: Rows
) -> tuple[Rows, Truth, NDArray[np.int64]]:
    """Return cosine, truth and asked thing of the first 20 hits of every query.

    They are searched for among the trials' catalogue and ``rivals``, vectors of other things: with
    fewer of them every hit looks surer than it is.
    """
    catalogue, queries = (
        _vectors(bundle, service, rows) for rows in (trials.catalogue, trials.queries)
    )
    likeness = queries @ np.concatenate([catalogue, rivals]).T
    first = np.argsort(-likeness, axis=1)[:, :_HITS]
    thing = np.concatenate([trials.thing, np.full(len(rivals), -1)])
    truth = thing[first] == trials.asked[:, None]
    asked = np.repeat(trials.asked, first.shape[1])
    return np.take_along_axis(likeness, first, 1).ravel(), truth.ravel(), asked


def _vectors(bundle: Bundle, service: Service, rows: Rows) -> Rows:
    """Return the vectors as the service makes them of found boxes and whole pictures."""
    blend, recipe = Blend(bundle, service), bundle.manifest.services[service]
    ends = np.cumsum([bundle.manifest.embedder.outputs[part.output] for part in recipe.parts])
    vectors = []
    for boxes in rows.astype(np.float32):
        views = np.concatenate([boxes[0], boxes[1][:1]]) if blend.whole else boxes[0]
        said = dict(zip(blend.outputs, np.split(views, ends[:-1], axis=1), strict=True))
        vectors.append(blend.vector(said, whole=bool(blend.whole)))
    return np.stack(vectors)


def _crossed(scores: Rows, truth: Truth, half: Truth) -> list[list[float]]:
    told = np.empty(len(scores))
    for learnt in (half, ~half):
        points = calibration_points(scores[learnt], truth[learnt])
        told[~learnt] = calibrated(points, scores[~learnt])
    return reliability(told, truth)
