"""Tune a bundle: look at the owner's pictures, fit, judge on things kept out, write a bundle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from imagesearch.catalogue import Service
from imagesearch.errors import PictureError
from imagesearch.vision import Vision
from imagesearch.vision.bundle import Bundle
from imagesearch.vision.network import Network
from imagesearch.vision.picture import Original
from imagesearch.vision.views import squares
from imagesearch_client import UnusableSource
from numpy.typing import NDArray

from imagesearch_local.tuning.again import shown_again
from imagesearch_local.tuning.draft import Draft
from imagesearch_local.tuning.fitting import (
    CANDIDATES,
    Candidate,
    Figures,
    adapted,
    choose,
    unit,
)
from imagesearch_local.tuning.owned import HELD, Owned, numbered
from imagesearch_local.tuning.trial import trial

__all__ = ["LEAST", "Owned", "Tuned", "tune"]

Rows = NDArray[np.float32]
Numbers = NDArray[np.int64]

LEAST = 40
"""Things that are needed: with fewer, what is kept out says nothing."""
_AGAIN = 4


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of it: figures of things kept out before and after, and the bundle's id.

    ``gained`` is false when the bundle's own map was best; only the calibration is new then.
    """

    id: str
    pictures: int
    things: int
    refused: int
    before: Figures
    after: Figures
    candidate: Candidate
    gained: bool


def tune(
    base: Path,
    service: Service,
    pictures: Sequence[Owned],
    out: Path,
    *,
    name: str,
    seed: int = 0,
    on_progress: Callable[[], None] = lambda: None,
) -> Tuned:
    """Fit the service's map of bundle ``base`` to the pictures and write the bundle to ``out``.

    Every picture is looked at once as it is and four times changed. A fifth of the things is kept
    out of fitting and choosing; on these both bundles are judged, as the service would see them.
    The id is that of the base with ``name`` and a digest of what was fitted. Raises
    :class:`UnusableSource` for too few things.
    """
    bundle = Bundle(base)
    rows, thing, refused = _looked(base, bundle, service, pictures, seed, on_progress)
    learnt = thing % HELD != 0
    mean, matrix = bundle.map(service) or _plain(rows.shape[1])
    mapped = (rows - mean) @ matrix
    scale = np.float32(np.linalg.norm(mapped, axis=1).mean())
    numbers = np.unique(thing[learnt], return_inverse=True)[1]
    candidate = choose(mapped[learnt] / scale, numbers)
    shift, turn = adapted(mapped[learnt] / scale, numbers, candidate)
    # What is taken off after the map is taken off before it, as a bundle's map has it.
    back = np.linalg.lstsq(matrix.T.astype(np.float64), (shift * scale).astype(np.float64))[0]
    fitted = {"mean": mean + back.astype(np.float32), "matrix": matrix @ turn}
    draft = Draft(base, service, fitted)
    draft.write(out, f"{bundle.manifest.id}-draft")
    before, _ = trial(Vision.load(base), service, pictures, seed)
    after, points = trial(Vision.load(out), service, pictures, seed)
    gained = candidate != CANDIDATES[0] and _better(after, before)
    if not gained:
        draft = Draft(base, service, {"mean": mean, "matrix": matrix})
        after, points = trial(Vision.load(base), service, pictures, seed)
    id_ = draft.write(out, f"{bundle.manifest.id}-{name}", points)
    things = len(np.unique(thing))
    return Tuned(id_, len(pictures), things, refused, before, after, candidate, gained)


def _better(after: Figures, before: Figures) -> bool:
    return after.recall_at_1 + after.map > before.recall_at_1 + before.map


def _plain(width: int) -> tuple[Rows, Rows]:
    return np.zeros(width, np.float32), np.eye(width, 512, dtype=np.float32)


def _looked(
    base: Path,
    bundle: Bundle,
    service: Service,
    pictures: Sequence[Owned],
    seed: int,
    on_progress: Callable[[], None],
) -> tuple[Rows, Numbers, int]:
    """Return the joined parts of every view, the number of its thing, and refused pictures."""
    vision, spec = Vision.load(base), bundle.manifest.embedder
    network = Network(bundle.path(spec.file))
    recipe = bundle.manifest.services[service]
    rows: list[Rows] = []
    things: list[int] = []
    refused = 0
    for number, (thing, picture) in enumerate(zip(numbered(pictures), pictures, strict=True)):
        rng = np.random.default_rng([seed, number])
        try:
            image = picture.read()
            region = vision.look(image, service).region
            original = Original.open(image)
            views = [squares(original, region, ("plain",), spec)[0]]
            views += [shown_again(rng, original, region, service, spec) for _ in range(_AGAIN)]
        except (PictureError, OSError):
            refused += 1
            continue
        finally:
            on_progress()
        said = network.run(spec.pixels, np.stack(views), [part.output for part in recipe.parts])
        weighted = [part.weight * one for part, one in zip(recipe.parts, said, strict=True)]
        rows.append(unit(np.concatenate(weighted, axis=1).astype(np.float32)))
        things += [thing] * len(views)
    if (usable := len(set(things))) < LEAST:
        raise UnusableSource(f"there are usable pictures of {usable} things; {LEAST} are needed.")
    return np.concatenate(rows), np.array(things), refused
