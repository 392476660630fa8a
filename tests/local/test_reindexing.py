"""``imagesearch reindex`` on a deployment in memory, with bundles of a few bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from imagesearch.catalogue import Service
from imagesearch.operations import reindex as moving
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.settings import Settings
from imagesearch_client import UnusableSource
from imagesearch_local import supplies
from imagesearch_local.cli import app
from imagesearch_local.commands import reindexing
from typer.testing import CliRunner

from tests.pictures import as_bytes, drawn
from tests.stores import MemoryStore
from tests.vision.conftest import description, network, write

Call = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    for number in range(3):
        (folder / f"p{number}").mkdir(parents=True)
        (folder / f"p{number}" / "a.png").write_bytes(as_bytes(drawn(number), "PNG"))
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    model = network()
    model.doc_string = "another"
    files = {"tiny.onnx": model.SerializeToString()}
    return write(tmp_path / "second", files, {**description(), "id": "second"})


@pytest.fixture
def call(tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls reindex on the instance ``shop`` of three pictures; gives status and JSON."""
    files = {"tiny.onnx": network().SerializeToString()}
    first = write(tmp_path / "first", files, {**description(), "id": "first"})
    settings = Settings(bucket="b", models=first, cache=tmp_path / "cache")
    store = MemoryStore()
    deployment = Deployment(settings, store)
    create_instance(deployment, CreateInstance(instance="shop", service=Service.GENERIC))
    for path in sorted(pictures.glob("*/*")):
        add_picture(
            deployment,
            AddPicture(
                instance="shop",
                product_id=path.parent.name,
                pic_name=path.name,
                image=path.read_bytes(),
            ),
        )
    monkeypatch.setattr(reindexing, "_open", lambda *_: Deployment(settings, store))
    monkeypatch.setattr(moving, "time", SimpleNamespace(sleep=lambda _: None))

    def called(*arguments: str) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(app, ["reindex", "shop", *arguments, "--json"])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, json.loads(done.stdout)

    return called


def test_it_builds_switches_goes_back_and_forgets(call: Call, bundle: Path, pictures: Path) -> None:
    status, built = call("--bundle", str(bundle), "--from", str(pictures))
    assert (status, built["coverage"], built["overlap_at_10"]) == (0, 1.0, 1.0)
    assert (built["looked"], built["switched"]) == (3, False)
    status, moved = call("--bundle", "second", "--yes")
    assert (moved["before"], moved["looked"], moved["switched"]) == ("first", 0, True)
    _, back = call("--rollback", "--yes")
    assert (back["before"], back["bundle"], back["switched"]) == ("second", "first", True)
    assert call("--cancel")[1]["bundle"] == "first"
    assert call("--forget")[1]["forgotten"] == ["second"]


def test_it_tells_what_is_missing(call: Call, bundle: Path, pictures: Path) -> None:
    (pictures / "p1" / "a.png").unlink()
    status, told = call("--bundle", str(bundle), "--from", str(pictures), "--yes")
    assert (status, told["missing"], told["switched"]) == (3, [["p1", "a.png"]], False)
    status, told = call("--bundle", "second", "--allow-missing", "--yes")
    assert (status, told["left"], told["switched"]) == (0, 1, True)


def test_an_increments_folder_supplies_as_well(call: Call, bundle: Path, pictures: Path) -> None:
    lines = [
        {"OperationType": "ADD", "ProductId": f"p{number}", "PicName": f"p{number}/a.png"}
        for number in range(3)
    ]
    (pictures / "increment.meta").write_text("\n".join(map(json.dumps, lines)))
    _, told = call("--bundle", str(bundle), "--from", str(pictures))
    assert told["left"] == 3  # its PicName is p0/a.png, the picture's is a.png
    manifest = pictures / "m.jsonl"
    lines = [
        {"product_id": f"p{number}", "pic_name": "a.png", "file": f"p{number}/a.png"}
        for number in range(3)
    ]
    manifest.write_text("\n".join(map(json.dumps, lines)))
    assert call("--bundle", str(bundle), "--from", str(manifest))[1]["left"] == 0


class OneBucket:
    """The two calls of an S3 client that reading an increment needs."""

    def __init__(self, bucket: str, objects: dict[str, bytes]) -> None:
        self._bucket = bucket
        self._objects = objects

    def _body(self, asked: dict[str, Any], verb: str) -> bytes:
        if asked["Bucket"] != self._bucket or asked["Key"] not in self._objects:
            raise ClientError({"Error": {"Code": "404"}}, verb)
        return self._objects[asked["Key"]]

    def head_object(self, **asked: Any) -> dict[str, Any]:
        body = self._body(asked, "HeadObject")
        return {"ContentLength": len(body), "ETag": '"1"', "LastModified": datetime.now(UTC)}

    def get_object(self, **asked: Any) -> dict[str, Any]:
        body = self._body(asked, "GetObject")
        first, _, last = asked.get("Range", f"bytes=0-{len(body)}")[6:].partition("-")
        part = body[int(first) : int(last) + 1]
        return {"Body": BytesIO(part), "ETag": '"1"', "ContentLength": len(part)}


def test_an_increment_in_a_bucket_supplies_as_well(
    call: Call, bundle: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        json.dumps({"OperationType": "ADD", "ProductId": f"p{number}", "PicName": "a.png"})
        for number in range(3)
    ]
    objects = {
        "spring/increment.meta": "\n".join(lines).encode(),
        "spring/a.png": (pictures / "p0" / "a.png").read_bytes(),
    }
    monkeypatch.setattr(supplies, "connect", lambda **_: OneBucket("pictures", objects))
    source = ("--bundle", str(bundle), "--from", "s3://pictures/spring")
    status, built = call(*source)
    # All lines name one file, which is the picture of p0 only.
    assert (status, built["left"], built["different"]) == (3, 2, [["p1", "a.png"], ["p2", "a.png"]])
    del objects["spring/increment.meta"]
    with pytest.raises(UnusableSource, match=r"has no increment\.meta"):
        call(*source)


def test_a_picture_that_the_bucket_lacks_is_told(
    call: Call, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = json.dumps({"OperationType": "ADD", "ProductId": "p0", "PicName": "a.png"})
    objects = {"increment.meta": line.encode()}
    monkeypatch.setattr(supplies, "connect", lambda **_: OneBucket("pictures", objects))
    status, told = call("--bundle", str(bundle), "--from", "s3://pictures/", "--yes")
    assert (status, told["left"], told["switched"]) == (3, 3, False)
