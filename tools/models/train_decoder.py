"""Train the subject decoder with PyTorch on the cached scenes, fold it, save ``decoder.npz``.

Loss: 2 · BCE + soft IoU on the mask + half of (1 - Dice) of its shadows on both axes (the greatest
value of each column and each row: what the box is read from), plus 0.3 × the same on a side output
at stride 16 (training only). AdamW, warm-up, cosine decay; half of the steps mirror their pictures;
the weights kept are a moving mean over the steps.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from tools.models.decoder import BLOCKS_S8, BLOCKS_S16, BLOCKS_S32
from tools.models.packages import Say
from tools.models.scenes import Scenes

__all__ = ["Decoder", "together", "train"]

Maps = dict[str, torch.Tensor]
Layer = tuple[NDArray[np.float32], NDArray[np.float32]]

WIDTHS = (128, 96, 48)
"""Channels at strides 32, 16 and 8."""

_CHANNELS = {"s8": 40, "s16": 112, "s32": 320}
_HEAD = 1280
_MOVING = 0.995
_FADED = 0.1  # share of channels left out of the coarser maps, in training


class Normed(nn.Module):
    """A convolution without bias and its batch norm."""

    def __init__(
        self, channels: int, out: int, kernel: int = 1, groups: int = 1, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, padding=kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out)
        nn.init.constant_(self.norm.weight, gain)

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

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = Normed(width, width, kernel, groups=width)
        self.pointwise = Normed(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the block."""
        deep = functional.relu(self.depthwise(x))
        return x + functional.relu(self.pointwise(deep))


class Decoder(nn.Module):
    """The decoder as it is trained; ``fold`` gives the weights that ``add_decoder`` takes."""

    def __init__(self) -> None:
        super().__init__()
        wide, middle, fine = WIDTHS
        out = {"s32": wide, "s16": middle, "s8": fine}
        self.faded = nn.Dropout2d(_FADED)
        self.sides = nn.ModuleDict({n: Normed(c, out[n]) for n, c in _CHANNELS.items()})
        self.head = Normed(_HEAD, wide, gain=0.3)
        self.context = nn.Conv2d(320, wide, 1)
        self.head_context = nn.Conv2d(_HEAD, wide, 1)
        nn.init.zeros_(self.head_context.weight)
        named = ((wide, BLOCKS_S32), (middle, BLOCKS_S16), (fine, BLOCKS_S8))
        self.blocks = nn.ModuleDict({name: Block(w, k) for w, of in named for name, k in of})
        self.narrow = nn.ModuleDict()
        if wide != middle:
            self.narrow["s16"] = Normed(wide, middle)
        if middle != fine:
            self.narrow["s8"] = Normed(middle, fine)
        self.out = nn.Conv2d(fine, 4, 1)
        self.coarse = nn.Conv2d(middle, 1, 1)

    def forward(self, maps: Maps) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mask logits at stride 4 and at stride 16; ``maps``: s8, s16, s32 and head."""
        s32, s16, head = (self.faded(maps[name]) for name in ("s32", "s16", "head"))
        context = self.context(_mean(s32)) + self.head_context(_mean(head))
        x = functional.relu(self.sides["s32"](s32) + self.head(head) + context)
        x = self._join(self._run(x, BLOCKS_S32), "s16", s16)
        x = self._run(x, BLOCKS_S16)
        coarse = self.coarse(x)
        x = self._run(self._join(x, "s8", maps["s8"]), BLOCKS_S8)
        return functional.pixel_shuffle(self.out(x), 2)[:, 0], coarse[:, 0]

    def _run(self, x: torch.Tensor, blocks: tuple[tuple[str, int], ...]) -> torch.Tensor:
        for name, _ in blocks:
            x = self.blocks[name](x)
        return x

    def _join(self, x: torch.Tensor, name: str, map_: torch.Tensor) -> torch.Tensor:
        if name in self.narrow:
            x = self.narrow[name](x)
        larger = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return functional.relu(larger + self.sides[name](map_))

    def fold(self) -> dict[str, NDArray[np.float32]]:
        """Return all weights with batch norms folded in."""
        weights: dict[str, NDArray[np.float32]] = {}
        for name, (weight, bias) in self._parts():
            weights |= {f"{name}.weight": weight, f"{name}.bias": bias}
        return weights

    def _parts(self) -> Iterator[tuple[str, tuple[NDArray[np.float32], NDArray[np.float32]]]]:
        for name in ("context", "head_context", "out"):
            layer = getattr(self, name)
            yield name, (layer.weight.detach().numpy(), layer.bias.detach().numpy())
        yield "in_head", self.head.folded()
        for name, side in self.sides.items():
            yield f"in_{name}", side.folded()  # type: ignore[operator]
        for name, narrow in self.narrow.items():
            yield f"to_{name}", narrow.folded()  # type: ignore[operator]
        for name, block in self.blocks.items():
            yield f"{name}.depthwise", block.depthwise.folded()  # type: ignore[operator,union-attr]
            yield f"{name}.pointwise", block.pointwise.folded()  # type: ignore[operator,union-attr]


def together(files: Sequence[Path]) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of several trained decoders as ``add_decoder`` takes them.

    What makes the maps normal is that of the first: they must have learnt from the same scenes.
    """
    joined: dict[str, NDArray[np.float32]] = {}
    for number, file in enumerate(files):
        with np.load(file, allow_pickle=False) as stored:
            for name in stored.files:
                if name.endswith((".mean", ".scale")):
                    joined.setdefault(name, stored[name])
                else:
                    joined[f"{number}/{name}"] = stored[name]
    return joined


def _mean(map_: torch.Tensor) -> torch.Tensor:
    return map_.mean(dim=(2, 3), keepdim=True)


def train(
    scenes: Scenes,
    out: Path,
    head: Layer,
    *,
    steps: int = 20_000,
    seed: int = 7,
    batch: int = 24,
    rate: float = 4e-3,
    minutes: float = 8.0,
    start: Path | None = None,
    say: Say = print,
) -> dict[str, Any]:
    """Train for ``steps`` steps or ``minutes``; save folded weights in ``out``, state beside it.

    ``head`` is weight and bias of the convolution that makes the head's map of s32.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    model = Decoder()
    if start is not None:
        model.load_state_dict(torch.load(start.with_suffix(".pt"), weights_only=True))
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.02)
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    norms = scenes.normals()
    began, smooth, step = time.process_time(), 0.0, 0
    for step in range(steps):
        done = max(step / steps, (time.process_time() - began) / (60 * minutes))
        if done >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = _rate(rate, step, done)
        maps, wanted = _drawn(scenes, scenes.sample(rng, batch), norms, head)
        loss = _step(model, optimiser, *_turned(rng, maps, wanted))
        _move(kept, model, min(_MOVING, (1 + step) / (10 + step)))
        smooth = loss if step == 0 else 0.98 * smooth + 0.02 * loss
        if step % 50 == 0:
            say(f"step {step}: loss {smooth:.4f}, {time.process_time() - began:.0f} s")
    model.load_state_dict(kept)
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


def _drawn(
    scenes: Scenes, chosen: NDArray[np.int64], norms: Mapping[str, NDArray[np.float32]], head: Layer
) -> tuple[Maps, torch.Tensor]:
    """Return normal maps, with the head's, and the wanted masks of some scenes."""
    maps = {}
    for name in _CHANNELS:
        raw = torch.from_numpy(scenes.maps[name][chosen].astype(np.float32))
        mean, scale = (
            torch.from_numpy(norms[f"{name}.{part}"][None, :, None, None])
            for part in ("mean", "scale")
        )
        maps[name] = (raw - mean) * scale
        if name == "s32":
            weight, bias = map(torch.from_numpy, head)
            maps["head"] = functional.conv2d(raw, weight, bias).clamp(0, 6)
    wanted = torch.from_numpy(scenes.masks[chosen].astype(np.float32) / 255)
    last = torch.channels_last
    return {name: map_.contiguous(memory_format=last) for name, map_ in maps.items()}, wanted


def _turned(rng: Generator, maps: Maps, wanted: torch.Tensor) -> tuple[Maps, torch.Tensor]:
    if rng.random() < 0.5:
        return maps, wanted
    return {name: map_.flip(3) for name, map_ in maps.items()}, wanted.flip(2)


def _step(
    model: Decoder, optimiser: torch.optim.Optimizer, maps: Maps, wanted: torch.Tensor
) -> float:
    mask, coarse = model(maps)
    small = functional.avg_pool2d(wanted[:, None], 4)[:, 0]
    loss = _loss(mask, wanted) + 0.3 * _loss(coarse, small)
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    optimiser.step()
    return loss.item()


def _loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted)
    mask = torch.sigmoid(logits)
    both = (mask * wanted).sum(dim=(1, 2))
    either = (mask + wanted - mask * wanted).sum(dim=(1, 2))
    loss = 2 * entropy + (1 - (both + 1) / (either + 1)).mean()
    for axis in (1, 2):
        shadow, right = mask.amax(axis), wanted.amax(axis)
        shared = 2 * (shadow * right).sum(1) + 1
        loss = loss + 0.5 * (1 - shared / ((shadow**2).sum(1) + (right**2).sum(1) + 1)).mean()
    return loss


@torch.no_grad()
def _move(kept: dict[str, torch.Tensor], model: Decoder, share: float) -> None:
    """Move the kept weights towards the model's."""
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            kept[name].mul_(share).add_(value, alpha=1 - share)
        else:
            kept[name].copy_(value)
