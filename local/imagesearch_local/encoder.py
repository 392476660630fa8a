"""Make a model bundle around any ONNX image encoder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from imagesearch.catalogue import Region, Service
from imagesearch.errors import ModelError, PictureError
from imagesearch.vision import Vision
from imagesearch.vision.manifest import DIMENSIONS, Embedder, Manifest, Pixels
from imagesearch.vision.network import Network
from imagesearch.vision.picture import Original
from numpy.typing import NDArray

__all__ = ["Encoder", "fit", "make_bundle"]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """An ONNX file that turns a picture into a vector; what is ``None`` is read from the file.

    ``output`` is a float output ``[n, width]``; ``mean`` and ``std`` are of pixels 0…1 and count
    for an input of floats only.
    """

    file: Path
    id: str
    output: str | None = None
    side: int | None = None
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD


def make_bundle(
    encoder: Encoder, base: Path, out: Path, *, pictures: Iterable[bytes] = ()
) -> Manifest:
    """Write a bundle of ``encoder`` into ``out``; the subject finder is that of bundle ``base``.

    To ``pictures`` of the owner's own a map to 512 values is fitted (:func:`fit`). Without any,
    an encoder of fewer values is filled up with zeros, and one of more is refused.
    Raises :class:`ModelError` if the encoder does not fit or the result is not sound.
    """
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(encoder.file, out / "encoder.onnx")
    network = Network(out / "encoder.onnx")
    spec = _described(network, encoder)
    finder = _subject(base, out)
    mapped = _map(network, spec, base, pictures)
    about = {
        "id": encoder.id,
        "format": 1,
        "files": {},
        "embedder": asdict(spec),
        "subject": finder,
        "services": dict.fromkeys((s.value for s in Service), _recipe(spec, mapped, out)),
    }
    used = ("encoder.onnx", *(["subject.onnx"] if finder else []), *(["maps.npz"] * bool(mapped)))
    about["files"] = {name: _card(out / name) for name in used}
    (out / "bundle.json").write_text(json.dumps(about, indent=1) + "\n")
    Vision.load(out).warm()
    return Manifest.read(out / "bundle.json")


def fit(rows: Rows) -> tuple[Rows, Rows]:
    """Return mean ``(width,)`` and matrix ``(width, 512)`` of the rows' principal directions.

    Each direction is divided by the fourth root of its variance ("half whitening"), which a
    hundredth of the mean variance steadies. Columns beyond the rows' rank are zero.
    """
    mean = rows.mean(axis=0)
    _, lengths, directions = np.linalg.svd(rows - mean, full_matrices=False)
    variances = lengths**2 / len(rows)
    kept = min(DIMENSIONS, int((variances > 1e-9 * variances[0]).sum()))
    scales = (variances[:kept] + 0.01 * variances.mean()) ** -0.25
    matrix = np.zeros((rows.shape[1], DIMENSIONS), np.float32)
    matrix[:, :kept] = directions[:kept].T * scales / scales[0]
    return mean, matrix


def _described(network: Network, encoder: Encoder) -> Embedder:
    """Read from the file how pixels enter and which output is the vector."""
    inputs = network.session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        seen = ", ".join(f"{found.name} {found.shape}" for found in inputs)
        raise ModelError(f"{encoder.file} must have one input of four axes; it has {seen}.")
    image, file = inputs[0], encoder.file
    kind = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}.get(image.type)
    if kind is None:
        raise ModelError(f"{file}: input {image.name} is {image.type}, not uint8 or float.")
    layout = "nhwc" if image.shape[3] == 3 else "nchw" if image.shape[1] == 3 else None
    if layout is None:
        raise ModelError(f"{file}: input {image.name} {image.shape} has no axis of three colours.")
    fixed = [n for n in image.shape[1:] if isinstance(n, int) and n != 3]
    pixels: dict[str, Any] = {"input": image.name, "type": kind, "layout": layout}
    if kind == "float32":
        pixels |= {"mean": encoder.mean, "std": encoder.std}
    side = encoder.side or (fixed[0] if fixed else 224)
    outputs = dict([_output(network, encoder)])
    return Embedder("encoder.onnx", msgspec.convert(pixels, Pixels), side, outputs, 0.04)


def _output(network: Network, encoder: Encoder) -> tuple[str, int]:
    found = network.session.get_outputs()
    for output in found:
        flat = output.type == "tensor(float)" and len(output.shape) == 2
        if flat and isinstance(output.shape[1], int) and encoder.output in (None, output.name):
            return output.name, output.shape[1]
    seen = ", ".join(f"{output.name} {output.shape}" for output in found)
    wanted = encoder.output or "float output"
    raise ModelError(f"{encoder.file} has no {wanted} of shape [n, width]; it has {seen}.")


def _subject(base: Path, out: Path) -> dict[str, Any] | None:
    subject = Manifest.read(base / "bundle.json").subject
    if subject is None:
        return None
    shutil.copyfile(base / subject.file, out / "subject.onnx")
    return {**asdict(subject), "file": "subject.onnx"}


def _map(
    network: Network, spec: Embedder, base: Path, pictures: Iterable[bytes]
) -> tuple[Rows, Rows] | None:
    """Return mean and matrix that bring the encoder's output to 512 values."""
    ((output, width),) = spec.outputs.items()
    rows = [
        network.run(spec.pixels, square[np.newaxis], [output])[0][0]
        for square in _squares(spec, base, pictures)
    ]
    if rows:
        stacked = np.stack(rows)
        return fit(stacked / np.linalg.norm(stacked, axis=1, keepdims=True))
    if width > DIMENSIONS:
        raise ModelError(
            f"the encoder gives {width} values; a map to {DIMENSIONS} must be fitted.",
            fix="Give a folder of your own pictures with --fit; a thousand are plenty.",
        )
    zeros = np.zeros(width, np.float32), np.eye(width, DIMENSIONS, dtype=np.float32)
    return None if width == DIMENSIONS else zeros


def _squares(spec: Embedder, base: Path, pictures: Iterable[bytes]) -> Iterable[NDArray[np.uint8]]:
    """Yield each usable picture's subject as the encoder will be shown it."""
    vision = Vision.load(base)
    for image in pictures:
        try:
            region: Region = vision.look(image, Service.GENERIC).region
            yield Original.open(image).crop(region, spec.side, margin=spec.margin)
        except PictureError:
            continue


def _recipe(spec: Embedder, mapped: tuple[Rows, Rows] | None, out: Path) -> dict[str, Any]:
    parts: Sequence[dict[str, Any]] = [{"output": name, "weight": 1.0} for name in spec.outputs]
    if mapped is None:
        return {"parts": parts, "map": None, "views": ["plain"]}
    mean, matrix = mapped
    np.savez(out / "maps.npz", mean=mean.astype(np.float16), matrix=matrix.astype(np.float16))
    where = {"file": "maps.npz", "mean": "mean", "matrix": "matrix"}
    return {"parts": parts, "map": where, "views": ["plain"]}


def _card(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
