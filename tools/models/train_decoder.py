"""Train the subject decoder with PyTorch on the cached scenes, fold it, save ``decoder.npz``.

Loss: 2 · BCE + soft IoU on the mask, plus 0.3 × the same on a side output at stride 16 (training
only). AdamW, warm-up, cosine decay; every step mirrors half of its pictures.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from tools.models.decoder import BLOCKS_S8, BLOCKS_S16, BLOCKS_S32
from tools.models.packages import Say
from tools.models.scenes import Scenes

__all__ = ["Decoder", "train"]

_WIDTH = 64
_CHANNELS = {"s8": 40, "s16": 112, "s32": 320}


class Normed(nn.Module):
    """A convolution without bias and its batch norm."""

    def __init__(self, channels: int, out: int, kernel: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, padding=kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply both."""
        return self.norm(self.conv(x))  # type: ignore[no-any-return]

    def folded(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return weight and bias of the one convolution that does the same."""
        norm = self.norm
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)  # type: ignore[operator]
        weight = self.conv.weight * scale[:, None, None, None]
        bias = norm.bias - norm.running_mean * scale  # type: ignore[operator]
        return weight.detach().numpy(), bias.detach().numpy()


class Block(nn.Module):
    """``DS(k)``: depthwise, pointwise, residual."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.depthwise = Normed(_WIDTH, _WIDTH, kernel, groups=_WIDTH)
        self.pointwise = Normed(_WIDTH, _WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the block."""
        deep = functional.relu(self.depthwise(x))
        return x + functional.relu(self.pointwise(deep))


class Decoder(nn.Module):
    """The decoder as it is trained; ``fold`` gives the weights that ``add_decoder`` takes."""

    def __init__(self) -> None:
        super().__init__()
        self.sides = nn.ModuleDict({n: Normed(c, _WIDTH) for n, c in _CHANNELS.items()})
        self.context = nn.Conv2d(320, _WIDTH, 1)
        named = (*BLOCKS_S32, *BLOCKS_S16, *BLOCKS_S8)
        self.blocks = nn.ModuleDict({name: Block(kernel) for name, kernel in named})
        self.out = nn.Conv2d(_WIDTH, 4, 1)
        self.coarse = nn.Conv2d(_WIDTH, 1, 1)

    def forward(
        self, s8: torch.Tensor, s16: torch.Tensor, s32: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mask logits at stride 4 and at stride 16."""
        context = self.context(s32.mean(dim=(2, 3), keepdim=True))
        x = self._run(functional.relu(self.sides["s32"](s32) + context), BLOCKS_S32)
        x = self._run(self._join(x, "s16", s16), BLOCKS_S16)
        coarse = self.coarse(x)
        x = self._run(self._join(x, "s8", s8), BLOCKS_S8)
        return functional.pixel_shuffle(self.out(x), 2)[:, 0], coarse[:, 0]

    def _run(self, x: torch.Tensor, blocks: tuple[tuple[str, int], ...]) -> torch.Tensor:
        for name, _ in blocks:
            x = self.blocks[name](x)
        return x

    def _join(self, x: torch.Tensor, name: str, map_: torch.Tensor) -> torch.Tensor:
        larger = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return functional.relu(larger + self.sides[name](map_))

    def fold(self) -> dict[str, NDArray[np.float32]]:
        """Return all weights with batch norms folded in."""
        plain = {"context": self.context, "out": self.out}
        parts = {
            name: (c.weight.detach().numpy(), c.bias.detach().numpy())  # type: ignore[union-attr]
            for name, c in plain.items()
        }
        parts |= {f"in_{name}": side.folded() for name, side in self.sides.items()}  # type: ignore[operator,misc]
        for name, block in self.blocks.items():
            parts[f"{name}.depthwise"] = block.depthwise.folded()  # type: ignore[operator,union-attr]
            parts[f"{name}.pointwise"] = block.pointwise.folded()  # type: ignore[operator,union-attr]
        weights = {f"{name}.weight": weight for name, (weight, _) in parts.items()}
        return weights | {f"{name}.bias": bias for name, (_, bias) in parts.items()}


def train(
    scenes: Scenes,
    out: Path,
    *,
    steps: int = 20_000,
    seed: int = 5,
    batch: int = 24,
    rate: float = 3e-3,
    minutes: float = 8.0,
    start: Path | None = None,
    say: Say = print,
) -> dict[str, Any]:
    """Train for ``steps`` steps or ``minutes``; save folded weights in ``out``, state beside it."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    model = Decoder()
    if start is not None:
        model.load_state_dict(torch.load(start.with_suffix(".pt"), weights_only=True))
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    norms = scenes.normals()
    began, smooth, step = time.process_time(), 0.0, 0
    for step in range(steps):
        done = max(step / steps, (time.process_time() - began) / (60 * minutes))
        if done >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = _rate(rate, step, done)
        loss = _step(model, optimiser, scenes, norms, rng, batch)
        smooth = loss if step == 0 else 0.98 * smooth + 0.02 * loss
        if step % 50 == 0:
            say(f"step {step}: loss {smooth:.4f}, {time.process_time() - began:.0f} s")
    model.eval()
    torch.save(model.state_dict(), out.with_suffix(".pt"))
    np.savez(out, **model.fold(), **norms)
    return {
        "steps": step + 1,
        "loss": round(smooth, 4),
        "seconds": round(time.process_time() - began),
    }


def _rate(top: float, step: int, done: float) -> float:
    if step < 50:
        return top * (step + 1) / 50
    return 1e-5 + (top - 1e-5) * 0.5 * (1 + float(np.cos(np.pi * done)))


def _step(
    model: Decoder,
    optimiser: torch.optim.Optimizer,
    scenes: Scenes,
    norms: dict[str, NDArray[np.float32]],
    rng: np.random.Generator,
    batch: int,
) -> float:
    chosen = scenes.sample(rng, batch)
    maps = {}
    for name in _CHANNELS:
        raw = scenes.maps[name][chosen].astype(np.float32)
        mean, scale = norms[f"{name}.mean"], norms[f"{name}.scale"]
        maps[name] = (raw - mean[None, :, None, None]) * scale[None, :, None, None]
    target = scenes.masks[chosen].astype(np.float32) / 255
    if rng.random() < 0.5:
        maps = {name: values[..., ::-1].copy() for name, values in maps.items()}
        target = target[..., ::-1].copy()
    mask, coarse = model(*(torch.from_numpy(maps[n]) for n in ("s8", "s16", "s32")))
    wanted = torch.from_numpy(target)
    small = functional.avg_pool2d(wanted[:, None], 4)[:, 0]
    loss = _loss(mask, wanted) + 0.3 * _loss(coarse, small)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


def _loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted)
    mask = torch.sigmoid(logits)
    both = (mask * wanted).sum(dim=(1, 2))
    either = (mask + wanted - mask * wanted).sum(dim=(1, 2))
    return 2 * entropy + (1 - (both + 1) / (either + 1)).mean()
