"""Pictures from strangers, and the metadata in them."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from imagesearch.errors import PictureError
from imagesearch.vision.onnxfile import has_external_data
from imagesearch.vision.picture import Original

from tests.fuzz.harness import Harness, expect, words
from tests.vision import corpus

__all__ = ["HARNESSES"]


def _look(data: bytes) -> None:
    try:
        original = Original.open(data)
        square = original.crop(original.whole, 48)
    except PictureError as refusal:
        expect(type(refusal) is not PictureError, "a refusal without a leaf of its own")
        return
    assert square.shape == (48, 48, 3)


@functools.cache
def _pictures() -> tuple[bytes, ...]:
    small = [image for _, image in corpus.valid() if len(image) < 20_000]
    # Not those that claim millions of pixels: each would take most of a second.
    claims = ("says", "heavy", "scans", "frames")
    hostile = [
        image
        for name, image in corpus.hostile()
        if len(image) < 20_000 and not any(word in name for word in claims)
    ]
    return (*small, *hostile)


def _model(data: bytes) -> None:
    """The walk through a model's protobuf, which looks for references to other files."""
    try:
        has_external_data(data)
    except (ValueError, IndexError):  # the only ways in which it says that this is no model
        return


def _models() -> Iterable[bytes]:
    import onnx
    from onnx import TensorProto, helper

    tensor = helper.make_tensor("t", TensorProto.FLOAT, [2], bytes(8), raw=True)
    node = helper.make_node("Constant", [], ["o"], value=tensor)
    out = helper.make_tensor_value_info("o", TensorProto.FLOAT, [2])
    graph = helper.make_graph([node], "g", [], [out], initializer=[tensor])
    model = helper.make_model(graph)
    yield model.SerializeToString()
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "../secret")
    yield model.SerializeToString()


HARNESSES = (
    Harness(
        "picture",
        _look,
        _pictures,
        words(
            r"\x89PNG IHDR IDAT PLTE tRNS eXIf iCCP acTL \xff\xd8\xff \xff\xc0 \xff\xda \xff\xe1 "
            r"Exif\0\0 ICC_PROFILE\0 GIF89a RIFF WEBPVP8X VP8L ANIM II*\0 MM\0* BM P6\x20"
        ),
        longest=20_000,
    ),
    Harness("model", _model, _models, longest=4096),
)
