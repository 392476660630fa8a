"""Where a text lies among the meanings of an instance's pictures."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Instance
from imagesearch.errors import InvalidField
from imagesearch.observe import logger
from imagesearch.operations.deployment import Deployment
from imagesearch.words import understood

if TYPE_CHECKING:
    from imagesearch.words.encoder import Encoder

__all__ = ["place_of", "understands"]

_LEAST = 1e-6


def place_of(deployment: Deployment, instance: Instance, text: str) -> NDArray[np.float32] | None:
    """Return the place of a text, (512,) of unit length.

    ``None`` where the deployment has no text encoder, the instance's bundle no meanings or those
    of another encoder, and for a text in a script that the encoder does not know. The encoder is
    loaded by the first call in a process.
    """
    meaning = deployment.vision_of(instance).meaning
    encoder = _encoder(deployment.settings.words) if meaning else None
    if meaning is None or encoder is None:
        return None
    if encoder.id != meaning.encoder:
        logger().warning("bundle and text encoder differ", extra={"encoder": encoder.id})
        return None
    from imagesearch.words import gloss

    vector = gloss.vector(encoder, text)
    if vector is None:
        return None
    place = vector - meaning.centre
    length = float(np.linalg.norm(place))
    return place / np.float32(length) if length > _LEAST else None


def understands(deployment: Deployment, name: str, text: str) -> NDArray[np.float32]:
    """Return the place of a text for an instance; :class:`InvalidField` if it has none."""
    place = place_of(deployment, deployment.instances.get(name), understood(text))
    if place is None:
        raise InvalidField(
            "query",
            f"text {text[:40]!r} has no meaning here.",
            fix="Write English or Chinese; see docs/text-search.md for what else it needs.",
        )
    return place


@cache
def _encoder(folder: Path) -> Encoder | None:
    from imagesearch.words.encoder import DESCRIPTION, Encoder

    return Encoder(folder) if (folder / DESCRIPTION).exists() else None
