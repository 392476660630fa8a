"""The model cards: one section per file of the bundle, written from what the build and the fits know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.models.packages import LITE0, U2NETP, Package

__all__ = ["write_cards"]


def write_cards(path: Path, bundle: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Write ``cards.md`` for the bundle."""
    parts = [
        f"# Model cards of bundle `{bundle['id']}`",
        "Written by `python -m tools.models build`; fields of `bundle.json` are explained in `README.md`.",
        _card("embedder.onnx", bundle, _embedder(bundle, settings)),
        _card("subject.onnx", bundle, _subject(bundle)),
        _card("maps.npz", bundle, _maps(settings)),
        "## Measured\n\n" + _lines(settings["measured"]),
    ]
    path.write_text("\n\n".join(parts) + "\n")


def _card(name: str, bundle: Mapping[str, Any], lines: str) -> str:
    file = bundle["files"][name]
    head = f"- file: {file['bytes']:,} bytes, SHA-256 `{file['sha256']}`"
    return f"## `{name}`\n\n{head}\n{lines}"


def _embedder(bundle: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    outputs = ", ".join(f"`{n}` float32 [n, {w}]" for n, w in bundle["embedder"]["outputs"].items())
    return _lines(
        [
            f"weights: EfficientNet-Lite0, {_package(LITE0)}",
            "trained by: Google on ImageNet-1k; ported to PyTorch by ML Illustrated, Apache-2.0",
            "conversion: batch norms folded, TensorFlow's SAME padding, weights of 512 values and "
            "more stored as float16 and cast once at loading",
            "input: `image` uint8 RGB [n, height, width, 3], sides multiples of 32 (224 × 224 for "
            "vectors)",
            f"outputs: {outputs}; feature maps `s8`, `s16`, `s32` are inner values of these names",
            "fitted inside: PCA 1280 → 512 (half whitened) and the five block means of `mid`, "
            f"from {settings['statistics']['views']:,} views of {settings['statistics']['items']:,} "
            "pictures:",
            *[f"  - {source}" for source in settings["statistics"]["pictures"]],
            "`category`: softmax of `logits` summed over the ImageNet classes of "
            "`tools/models/groups.py`",
            "limits: ImageNet's classes know clothes, bags and cosmetics only coarsely; the "
            "licences of the ImageNet pictures are not the weights' licence (see NOTICE)",
        ]
    )


def _subject(bundle: Mapping[str, Any]) -> str:
    side = bundle["subject"]["side"]
    return _lines(
        [
            f"weights: U²-Netp (Qin et al. 2020), {_package(U2NETP)}",
            "trained by: the authors on DUTS-TR (terms of its pictures: see NOTICE)",
            "conversion: cut down to the finest of seven masks, preprocessing put inside, float32",
            f"input: `image` uint8 RGB [1, {side}, {side}, 3], the whole picture stretched",
            f"output: `mask` float32 [1, {side}, {side}], 0…1",
            "fitted inside: nothing",
        ]
    )


def _maps(settings: Mapping[str, Any]) -> str:
    return _lines(
        [
            "our own; Apache-2.0 as the rest of the project",
            "arrays: `<service>.mean` float16 [1136], `<service>.matrix` float16 [1136, 512]",
            *settings["maps"]["about"],
            *[f"  - {source}" for source in settings["maps"]["pictures"]],
        ]
    )


def _package(package: Package) -> str:
    return (
        f"PyPI `{package.name}=={package.version}`, `{package.file}`, SHA-256 "
        f"`{package.file_sha256}`, {package.licence}"
    )


def _lines(lines: list[str]) -> str:
    return "\n".join(line if line.startswith("  ") else f"- {line}" for line in lines)
