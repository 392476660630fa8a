"""A linear map trained with InfoNCE (van den Oord et al. 2018), started from a given one."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from tools.models.packages import Say

__all__ = ["contrastive_map"]

Array = NDArray[np.floating[Any]]


def contrastive_map(
    v: Array,
    thing: NDArray[np.int64],
    start: tuple[Array, Array],
    *,
    steps: int = 250,
    batch: int = 512,
    temperature: float = 0.07,
    pull: float = 0.001,
    seed: int = 1,
    say: Say = print,
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Return ``mean`` and ``matrix``; every step takes two views each of at most ``batch`` things.

    Symmetric cross-entropy of cosine / ``temperature``, plus ``pull`` × the squared distance to
    the start; Adam 1e-3, 30 steps of warm-up, cosine decay.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    mean = start[0].astype(np.float32)
    x = v.astype(np.float32) - mean
    first = start[1].astype(np.float32)
    first = first / np.linalg.norm(x[::7] @ first, axis=1).mean()
    origin, inputs = torch.from_numpy(first), torch.from_numpy(x)
    matrix = origin.clone().requires_grad_()
    optimiser = torch.optim.Adam([matrix], lr=1e-3)
    views = [np.flatnonzero(thing == t) for t in np.unique(thing)]
    views = [v for v in views if len(v) > 1]
    began = time.process_time()
    for step in range(steps):
        warm = min(1.0, (step + 1) / 30)
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * warm * 0.5 * (1 + np.cos(np.pi * step / steps))
        pairs = _pairs(rng, views, batch)
        a, b = (functional.normalize(inputs[pairs[:, side]] @ matrix) for side in (0, 1))
        scores = a @ b.T / temperature
        right = torch.arange(len(pairs))
        loss = functional.cross_entropy(scores, right) + functional.cross_entropy(scores.T, right)
        loss = loss / 2 + pull * ((matrix - origin) ** 2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 50 == 0:
            say(f"step {step}: loss {loss.item():.3f}, {time.process_time() - began:.0f} s")
    fitted = matrix.detach().numpy()
    return mean.astype(np.float16), (fitted / np.abs(fitted).max()).astype(np.float16)


def _pairs(rng: np.random.Generator, views: list[NDArray[Any]], batch: int) -> NDArray[np.int64]:
    chosen = rng.permutation(len(views))[:batch]
    return np.stack([rng.choice(views[index], 2, replace=False) for index in chosen])
