"""See a picture in every way that the comparison needs, with one decoding."""

from __future__ import annotations

import itertools
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from imagesearch.catalogue import OTHER, Region, Service
from imagesearch.vision.bundle import Bundle
from imagesearch.vision.category import blended, choose
from imagesearch.vision.network import Network
from imagesearch.vision.picture import Original
from imagesearch.vision.subject import regions_of
from imagesearch.vision.views import squares
from numpy.typing import NDArray
from onnx import TensorProto, helper

__all__ = ["MIXED", "POOL", "Eyes", "Said", "Seen"]

POOL = "average_pool"
"""The backbone's plain average pool, which the embedder computes on its way."""
MIXED = "mixed"
"""What is said of the found box, and of the whole picture as one more view of it."""
Said = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture: what the embedder says of each box (``whole``, ``found``, ``true``, mixed)."""

    said: dict[str, Said]
    found: Region
    category: dict[str, int]
    milliseconds: dict[str, float]


class Eyes:
    """A bundle's networks, with the backbone's average pool as one more output."""

    def __init__(self, folder: Path) -> None:
        self.bundle = Bundle(folder)
        self.manifest = self.bundle.manifest
        self._embedder = _with_pool(
            folder / self.manifest.embedder.file, next(iter(self.manifest.embedder.outputs))
        )
        subject = self.manifest.subject
        self._subject = Network(folder / subject.file) if subject else None

    def look(self, image: bytes, true: Region | None, service: Service) -> Seen:
        """Look at a picture; cloth only whole."""
        began = [time.thread_time()]
        original = Original.open(image)
        original.decode(original.whole)
        began.append(time.thread_time())
        boxes = {
            "whole": original.whole,
            "found": self._find(original) if service.crops else original.whole,
        }
        began.append(time.thread_time())
        boxes["true"] = true or original.whole
        said = {name: self._embed(original, region, service) for name, region in boxes.items()}
        said[MIXED] = said["found"]
        if self.manifest.services[service].whole and boxes["found"] != original.whole:
            said[MIXED] = {
                n: np.concatenate([v, said["whole"][n][:1]]) for n, v in said["found"].items()
            }
        took = [(b - a) * 1000 for a, b in itertools.pairwise(began)]
        return Seen(
            said,
            boxes["found"],
            {
                name: self._category(said[MIXED if name == "found" else name], name)
                for name in boxes
            },
            dict(zip(("decode", "subject"), took, strict=True)),
        )

    def _find(self, original: Original) -> Region:
        rules = self.manifest.subject
        if rules is None or self._subject is None:
            return original.whole
        square = original.crop(original.whole, rules.side, resize=rules.resize)[np.newaxis]
        (mask,) = self._subject.run(rules.pixels, square, [rules.output])
        flat = mask.reshape(mask.shape[-2:])
        return regions_of(flat, original.width, original.height, rules)[0]

    def _embed(self, original: Original, region: Region, service: Service) -> Said:
        spec = self.manifest.embedder
        shown = squares(original, region, self.manifest.services[service].views, spec)
        names = [*spec.outputs, POOL]
        return dict(zip(names, self._embedder.run(spec.pixels, shown, names), strict=True))

    def _category(self, said: Said, box: str) -> int:
        head = self.manifest.categories
        if head is None:
            return OTHER
        rows = said[head.output]
        return choose(head, blended(head, rows, whole=box == "found" and len(rows) > 1))[0]


def _with_pool(path: Path, output: str) -> Network:
    """Open the embedder with the average pool that ``output`` is made of as one more output."""
    model = onnx.load(path)
    flat = helper.make_node("Flatten", [_pool_behind(model.graph, output)], [POOL])
    model.graph.node.append(flat)
    model.graph.output.append(helper.make_tensor_value_info(POOL, TensorProto.FLOAT, None))
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, Path(folder) / "embedder.onnx")
        network = Network(Path(folder) / "embedder.onnx")
        network.session  # noqa: B018 - opened now, while the file is there
    return network


def _pool_behind(graph: onnx.GraphProto, output: str) -> str:
    """Return the output of the last GlobalAveragePool on the way to ``output``."""
    maker = {name: node for node in graph.node for name in node.output}
    waiting = [output]
    while waiting:
        node = maker.get(waiting.pop(0))
        if node is None:
            continue
        if node.op_type == "GlobalAveragePool":
            return str(node.output[0])
        waiting += node.input
    raise ValueError(f"{output} is not made of an average pool")
