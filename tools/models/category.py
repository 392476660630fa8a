"""The category head: a linear layer on ``v``, the ImageNet logits and the grouped class shares.

It starts from the reading of ImageNet's class names (``groups``) and is pulled back to it, so that
what no labelled picture speaks about stays as ImageNet has it.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from tools.models.groups import IDS
from tools.models.packages import Say

__all__ = ["fit_category"]

_RATE = 0.03


def fit_category(
    inputs: NDArray[np.float32],
    category: NDArray[np.int64],
    *,
    weight: NDArray[np.float32] | None = None,
    decay: float = 1e-3,
    steps: int = 150,
    seed: int = 2,
    say: Say = print,
) -> dict[str, NDArray[np.float32]]:
    """Return ``category.matrix`` and ``category.bias`` by weighted multinomial regression.

    Classes are weighted by the number^-0.7; ``decay`` × squared distance
    from the ImageNet reading is added.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    counts = np.bincount(category, minlength=len(IDS)).astype(np.float32)
    balance = (np.maximum(counts, 1) ** -0.7)[category]
    balance = balance * (weight if weight is not None else 1)
    share = torch.from_numpy((balance / balance.sum()).astype(np.float32))
    x, y = torch.from_numpy(inputs), torch.from_numpy(category)
    origin = torch.zeros(inputs.shape[1], len(IDS))
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
