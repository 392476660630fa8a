"""One running service, and a folder like a checkout with some pictures, for all pages."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from tests.docs.snippets import ROOT
from tests.running import Service

CATALOGUE = ROOT / "local/imagesearch_local/demo/catalog"
NAMES = [
    *("pictures/lamps/a.jpg", "pictures/lamps/b.jpg"),
    *("pictures/chairs/oak/a.jpg", "pictures/chairs/oak/b.jpg", "shoe.jpg"),
]
TABLE = """sku,photo,year
lamp-1,pictures/lamps/a.jpg,1990
lamp-2,pictures/lamps/b.jpg,2024
"""
QUERIES = ROOT / "local/imagesearch_local/demo/queries"


def stock_models(folder: Path, pictures: list[Path]) -> None:
    """Put what docs/models.md speaks of into ``folder``: an encoder, pictures, a labelled set."""
    pooled = helper.make_node(
        "AveragePool", ["pixels"], ["small"], kernel_shape=[8, 8], strides=[8, 8]
    )
    flat = helper.make_node("Flatten", ["small"], ["features"])
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 64, 64])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 192])
    graph = helper.make_graph([pooled, flat], "encoder", [pixels], [features])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "encoder.onnx").write_bytes(model.SerializeToString())
    (folder / "my-bundle").mkdir()
    for file in (ROOT / "layers/models").iterdir():
        if file.suffix in {".onnx", ".npz", ".json"}:
            shutil.copy(file, folder / "my-bundle")
    for place in ("my-pictures", "my-set"):
        (folder / place).mkdir()
    for picture in pictures[:3]:
        shutil.copy(picture, folder / "my-pictures")
        shutil.copy(picture, folder / "my-set")
    key = {"service": "product", "pic_name": "main"}
    shown = [{**key, "product_id": one.stem, "file": one.name} for one in pictures[:3]]
    asked = [{"query_id": "q", "file": pictures[0].name, "relevant": [pictures[0].stem]}]
    for name, lines in (("catalog", shown), ("queries", asked)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "my-set" / f"{name}.jsonl").write_text(text)


@pytest.fixture(scope="session")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as ``make run`` starts it."""
    running = Service(tmp_path_factory.mktemp("documented"))
    running.start("--demo")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def environment(documented: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a reader's shell has."""
    home = tmp_path_factory.mktemp("home")
    return {
        "IMAGESEARCH_URL": documented.url,
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
    }


@pytest.fixture
def folder(documented: Service, tmp_path: Path) -> Path:
    """Where a reader stands: in the checkout, with the pictures that pages speak of."""
    for entry in ROOT.iterdir():
        if not entry.name.startswith((".", "Makefile")):  # nobody shall install anything here
            (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / ".data").symlink_to(documented.data)
    pictures = sorted(CATALOGUE.glob("*.jpg"))
    for name, picture in zip(NAMES, pictures, strict=False):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, tmp_path / name)
    (tmp_path / "goods.csv").write_text(TABLE)
    stock_models(tmp_path, pictures)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    shutil.copy(min(QUERIES.glob("*.jpg")), tmp_path / "photo.jpg")
    return tmp_path
