"""Assemble the bundle: ONNX files and maps, ``bundle.json``, one card per file."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from tools.models.cards import write_cards
from tools.models.embedder import GRIDS, Statistics, embedder
from tools.models.embedder import model as close
from tools.models.groups import IDS, grouping
from tools.models.packages import LITE0, U2NETP, Say, member
from tools.models.torchfile import read_tensors
from tools.models.u2netp import subject_model

__all__ = ["FITTED", "build", "build_embedder", "weights_digest"]

FITTED = Path(__file__).parent / "fitted"
"""What was fitted: ``statistics``, ``maps``, ``category``, ``decoder`` and ``settings.json``."""

_HEADS = re.compile(r"(category|gallery|decoder|subject\w*|layout|scalar|scale)\b")

_LAYOUT = sum(grid.width * grid.cells**2 for grid in GRIDS)
_PLAIN = {"embedding": 512, "mid": 624, "logits": 1000, "category": len(IDS)}
OUTPUTS = _PLAIN | {"subject_embedding": 512, "subject_mid": 624, "layout": _LAYOUT}
"""Name and width of each vector the embedder gives; the last three need a decoder."""


def build(out: Path, cache: Path, *, fitted: Path = FITTED, say: Say = print) -> dict[str, Any]:
    """Write the whole bundle into ``out`` and return the content of its ``bundle.json``."""
    out.mkdir(parents=True, exist_ok=True)
    settings = json.loads((fitted / "settings.json").read_text())
    say("embedder.onnx: Lite0 with what was fitted")
    own = settings["subject"]["file"] == "embedder.onnx"
    decoder = _arrays(fitted / "decoder.npz") if own else None
    statistics, category = (_arrays(fitted / f"{name}.npz") for name in ("statistics", "category"))
    model = build_embedder(cache, statistics, category, decoder, say=say)
    onnx.save(model, out / "embedder.onnx")
    shutil.copyfile(fitted / "maps.npz", out / "maps.npz")
    names = ["embedder.onnx", "maps.npz"]
    (out / "subject.onnx").unlink(missing_ok=True)
    if not own:
        side = settings["subject"]["side"]
        say(f"subject.onnx: U²-Netp at {side} × {side}")
        onnx.save(subject_model(member(U2NETP, cache, say), side), out / "subject.onnx")
        names.append("subject.onnx")
    meaning = _meaning(out, fitted, say)
    if meaning:
        names.append("meaning.npz")
    bundle = _describe(settings, {name: _file(out / name) for name in names})
    if meaning:
        recipe = {**meaning["settings"], "encoder": meaning["encoder"]}
        bundle["meaning"] = {"file": "meaning.npz", **recipe}
    (out / "bundle.json").write_text(json.dumps(bundle, indent=1) + "\n")
    write_cards(out / "cards.md", bundle, settings, meaning)
    total = sum(entry["bytes"] for entry in bundle["files"].values())
    say(f"bundle {bundle['id']}: {total / 1e6:.1f} MB in {out}")
    return bundle


def build_embedder(
    cache: Path,
    statistics: Statistics,
    category: Mapping[str, NDArray[Any]],
    decoder: Mapping[str, NDArray[Any]] | None = None,
    *,
    half: bool = True,
    say: Say = print,
) -> onnx.ModelProto:
    """Return the embedder with the given statistics, category head and perhaps decoder."""
    tensors = read_tensors(member(LITE0, cache, say))
    head = {**category, "category.groups": grouping()}
    graph = embedder(tensors, statistics, head, decoder, half=half)
    about = "EfficientNet-Lite0 embedder"
    outputs = OUTPUTS if decoder is not None else _PLAIN
    return close(graph, outputs, about=about, mask=decoder is not None)


def weights_digest(file: Path, *, heads: bool = True) -> str:
    """Return one SHA-256 over all weights of an ONNX file by name, whatever wrote the file.

    Without ``heads`` those of category, mask, subject and layout are left out: on the others alone
    ``embedding``, ``mid`` and ``logits`` depend.
    """
    digest = hashlib.sha256()
    weights = [w for w in onnx.load(file).graph.initializer if heads or not _HEADS.match(w.name)]
    for weight in sorted(weights, key=lambda w: w.name):
        array = numpy_helper.to_array(weight)
        digest.update(f"{weight.name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _describe(settings: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    pixels = {"input": "image", "type": "uint8", "layout": "nhwc"}
    return {
        "id": settings["id"],
        "format": 1,
        "files": files,
        "embedder": {
            "file": "embedder.onnx",
            "pixels": pixels,
            "side": 224,
            "margin": 0.04,
            "resize": "bicubic",
            "outputs": OUTPUTS,
        },
        "subject": {"pixels": pixels, **settings["subject"]},
        "services": settings["services"],
        "categories": {"output": "category", "ids": IDS, **settings["categories"]},
        "calibration": settings["calibration"],
    }


def _meaning(out: Path, fitted: Path, say: Say) -> dict[str, Any] | None:
    """Copy the map to meanings, return how it was fitted; ``None`` if for another embedder."""
    (out / "meaning.npz").unlink(missing_ok=True)
    if not (fitted / "meaning.json").exists():
        return None
    about = json.loads((fitted / "meaning.json").read_text())
    if about["embedder"] != weights_digest(out / "embedder.onnx", heads=False):
        say("the map to meanings belongs to another embedder: run the step meaning, then build")
        return None
    shutil.copyfile(fitted / "meaning.npz", out / "meaning.npz")
    found: dict[str, Any] = about
    return found


def _file(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
