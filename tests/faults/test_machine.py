"""The machine fails: its disk is full, its clock jumps, its model files are gone or altered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from imagesearch.errors import ModelError
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.search import Search, search
from imagesearch.settings import Settings
from imagesearch.vision.library import Library

from tests.faults.test_killed import OPERATIONS, add, filled, process, state
from tests.stores import MemoryStore

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "layers/models"

FULL_DISK = """
import resource, sys
from pathlib import Path
from imagesearch.errors import StorageUnavailable
from imagesearch.operations.search import Search, search
from tests.faults.test_killed import add, filled, process, state

folder = Path(sys.argv[1])
store = filled(folder)
room = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, room[1]))  # as if the disk were full
deployment = process(store, folder / "full")
add("new", 9)(deployment)
try:
    found = search(deployment, Search(instance="shop", image=b"1", num=20))
    print(len(found.answer.hits))
except StorageUnavailable as error:
    print(error.status, error.fix)
resource.setrlimit(resource.RLIMIT_FSIZE, room)
assert ("new", "a") in state(deployment)
print(len(search(deployment, Search(instance="shop", image=b"1", num=20)).answer.hits))
"""


def test_on_a_full_disk_writes_go_on_and_searches_say_what_is_missing(tmp_path: Path) -> None:
    """And once there is room again the same process answers in full."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    while_full, afterwards = done.stdout.splitlines()
    assert while_full == "7" or (while_full.startswith("503") and "storage" in while_full)
    assert afterwards == "7"


def test_without_room_for_a_published_bundle_it_is_said_so(tmp_path: Path) -> None:
    store = MemoryStore()
    Library(store, tmp_path / "here").publish(MODELS)
    full = tmp_path / "full"
    full.write_text("a file stands where the folder should be")
    with pytest.raises(ModelError, match="no room") as raised:
        Library(store, full / "models").fetch(next(iter(Library(store, tmp_path / "here"))))
    assert "storage" in raised.value.fix


HOURS = 3600 * 1_000_000_000


@pytest.mark.parametrize("jumps", [(0, -24, -48), (0, 24, -24), (0, -1, 1)])
def test_writes_stay_in_their_order_when_the_clock_jumps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jumps: tuple[int, ...]
) -> None:
    store, real, shift = filled(tmp_path), time.time_ns, 0
    monkeypatch.setattr(time, "time_ns", lambda: real() + shift)
    for number, hours in enumerate(jumps):
        shift = hours * HOURS
        deployment = process(store, tmp_path / f"at{number}")
        add("p1", 100 + number)(deployment)
        assert state(deployment)["p1", "a"] == 100 + number
        OPERATIONS["delete a picture"](deployment)
        assert ("p1", "a") not in state(deployment)
        add("p1", 200 + number)(process(store, tmp_path / f"again{number}"))
        OPERATIONS["upkeep"](deployment)
        assert state(process(store, tmp_path / f"then{number}"))["p1", "a"] == 200 + number


def _altered(folder: Path) -> None:
    embedder = folder / "embedder.onnx"
    body = bytearray(embedder.read_bytes())
    body[len(body) // 2] ^= 1
    embedder.write_bytes(body)


@pytest.mark.parametrize(
    "harm",
    [
        _altered,
        lambda folder: (folder / "embedder.onnx").unlink(),
        lambda folder: (folder / "bundle.json").unlink(),
        lambda folder: (folder / "bundle.json").write_text("{"),
        lambda folder: (folder / "maps.npz").write_bytes(b"PK"),
        shutil.rmtree,
    ],
    ids=["altered", "missing", "undescribed", "torn", "map", "nothing"],
)
def test_a_model_that_is_gone_or_altered_is_said_so_and_nothing_is_written(
    tmp_path: Path, harm: object
) -> None:
    assert callable(harm)
    models = tmp_path / "models"
    shutil.copytree(MODELS, models)
    harm(models)
    store: MemoryStore = filled(tmp_path)
    settings = Settings(bucket="b", models=models, cache=tmp_path / "cache")
    deployment = Deployment(settings, store)
    deployment.warm()  # never fails: the request that needs the model says it
    before = set(store.keys_after("", ""))
    for asked in (add("new", 1), lambda d: search(d, Search(instance="shop", image=b"1"))):
        with pytest.raises(ModelError) as raised:
            asked(deployment)
        assert raised.value.status == 500
        assert raised.value.fix
    assert set(store.keys_after("", "")) == before
    assert len(state(deployment)) == 6
