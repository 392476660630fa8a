"""The category head: a linear layer and a gallery of known things that vote, mixed.

The linear layer works on ``v``, the ImageNet logits and the grouped class shares. It starts from
the reading of ImageNet's class names (``groups``) and is pulled back to it, so that what no
labelled picture speaks about stays as ImageNet has it. The gallery holds one vector of each known
thing and kind of picture, the mean of its views; those nearest to a picture vote, weighed by their
likeness. The layer is the better one for things never seen, the gallery for those it has.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from tools.models.groups import IDS
from tools.models.packages import Say

__all__ = ["Labelled", "fit_category"]

_BALANCE = 0.7
_RATE = 0.03
_DIMENSIONS = 256
_SPREAD = 0.04
_FLOOR = 0.02
_SHARE = 1.0
_TRUST = 0.5


@dataclass(frozen=True, slots=True)
class Labelled:
    """Views with a known category, one a row.

    ``white`` (n, 512) are whitened vectors, ``inputs`` (n, width) those of the linear layer,
    ``column`` the place of the category in ``IDS``, ``weight`` how much a view counts;
    ``picture`` numbers what is shown and in which kind of picture.
    """

    white: NDArray[np.float32]
    inputs: NDArray[np.float32]
    column: NDArray[np.int64]
    weight: NDArray[np.float32]
    picture: NDArray[np.int64]


def fit_category(views: Labelled, *, say: Say = print) -> dict[str, NDArray[np.float32]]:
    """Return the arrays that ``prediction.fold_category`` takes, for ``white`` and ``inputs``."""
    mixture = np.array([1 / _SPREAD, _FLOOR, _SHARE, _TRUST], np.float32)
    return {**_layer(views, say=say), **_gallery(views), "category.mixture": mixture}


def _layer(
    views: Labelled, *, decay: float = 1e-3, steps: int = 150, seed: int = 2, say: Say = print
) -> dict[str, NDArray[np.float32]]:
    """Return matrix and bias by weighted multinomial regression.

    Classes are weighted by the number^-0.7; ``decay`` × squared distance
    from the ImageNet reading is added.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    balance = (_counts(views.column) ** -_BALANCE)[views.column] * views.weight
    share = torch.from_numpy((balance / balance.sum()).astype(np.float32))
    x, y = torch.from_numpy(views.inputs), torch.from_numpy(views.column)
    origin = torch.zeros(views.inputs.shape[1], len(IDS))
    origin[-len(IDS) :] = torch.eye(len(IDS))
    matrix, bias = origin.clone().requires_grad_(), torch.zeros(len(IDS), requires_grad=True)
    optimiser = torch.optim.Adam([matrix, bias], lr=_RATE)
    began = time.process_time()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
        each = functional.cross_entropy(
            x @ matrix + bias, y, reduction="none", label_smoothing=0.02
        )
        loss = (each * share).sum() + decay * ((matrix - origin) ** 2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 100 == 0:
            say(f"category step {step}: {loss.item():.3f}, {time.process_time() - began:.0f} s")
    fitted = {"category.matrix": matrix, "category.bias": bias}
    return {name: value.detach().numpy() for name, value in fitted.items()}


def _gallery(views: Labelled) -> dict[str, NDArray[np.float32]]:
    """Return the known things in the views' first principal directions, unit length each.

    A thing's vote counts by its category's number of things^-0.7.
    """
    _, first = np.unique(views.picture, return_index=True)
    column = views.column[first]
    unit = views.white / np.linalg.norm(views.white, axis=1, keepdims=True)
    values, axes = np.linalg.eigh(unit.T @ unit)
    axes = axes[:, np.argsort(-values)[:_DIMENSIONS]]
    things = np.zeros((len(first), unit.shape[1]), np.float32)
    np.add.at(things, views.picture, unit)
    placed = things @ axes
    return {
        "gallery.axes": axes.astype(np.float32),
        "gallery.vectors": placed / np.linalg.norm(placed, axis=1, keepdims=True),
        "gallery.column": column.astype(np.float32),
        "gallery.weight": np.log(_counts(column) ** -_BALANCE).astype(np.float32),
    }


def _counts(column: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how often each category is there, at least 1."""
    return np.maximum(np.bincount(column, minlength=len(IDS)), 1).astype(np.float64)
