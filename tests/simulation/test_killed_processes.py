"""The same promises at a real store, kept to processes that are killed at any moment."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from imagesearch.catalogue import PictureKey
from imagesearch.index import Index
from imagesearch.storage.s3 import S3ObjectStore, connect

from tests.seaweed import seaweed
from tests.simulation.actors import state_of
from tests.simulation.history import History, Read, Write, worst
from tests.simulation.worker import POLICY

ROOT = Path(__file__).parents[2]
SECONDS = float(os.environ.get("IMAGESEARCH_KILL_SECONDS", "15"))
PATIENCE = 90
ENOUGH = 20
"""Acknowledged writes without which nothing is shown."""
CAST = ("writer", "writer", "writer", "reader", "folder", "folder")
PREFIX = "index/killed/"


class Troupe:
    """The processes; whoever is killed is replaced."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.started = 0
        self.killed = 0
        self.alive: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, role: str) -> None:
        self.started += 1
        command = [sys.executable, "-m", "tests.simulation.worker"]
        arguments = [role, str(self.started), "killed", PREFIX]
        with (self.folder / f"{self.started:03d}-{role}.jsonl").open("wb") as events:
            process = subprocess.Popen(
                [*command, *arguments], stdout=events, cwd=ROOT, env=self.environment
            )
        self.alive.append((role, process))

    def kill(self, which: int) -> str:
        role, process = self.alive.pop(which)
        assert process.poll() is None, f"a {role} ended by itself"
        process.kill()
        process.wait()
        self.killed += 1
        return role

    def ready(self) -> bool:
        return len([e for e in self.events() if e["event"] == "ready"]) >= self.started

    def busy(self) -> bool:
        """Tell whether enough was written; on a slow machine that takes longer."""
        return sum(event["event"] == "done" for event in self.events()) >= ENOUGH

    def events(self) -> Iterator[dict[str, object]]:
        for file in sorted(self.folder.glob("*.jsonl")):
            for line in file.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):
                    yield {"who": file.stem, **msgspec.json.decode(line)}


def history_of(troupe: Troupe) -> History:
    history = History()
    begun: dict[object, Write] = {}
    for event in troupe.events():
        what = {name: value for name, value in event.items() if name not in ("who", "event")}
        match event["event"]:
            case "begin":
                changes = {PictureKey(p, n): version for p, n, version in what["changes"]}
                settings = {PictureKey(p, n): value for p, n, value in what["settings"]}
                begun[what["at"]] = Write(event["who"], changes, what["at"], settings=settings)
            case "done":
                write = begun[what["begin"]]
                write.end, write.sequence = what["at"], what["sequence"]
            case "read":
                seen = {PictureKey(p, n): version for p, n, version, _ in what["seen"]}
                settings = {PictureKey(p, n): s for p, n, _, s in what["seen"] if s is not None}
                products = len({key.product_id for key in seen})
                if [len(what["seen"]), products] != what["counts"] or len(seen) != len(
                    what["seen"]
                ):
                    history.violate("duplicate", f"{event}")
                history.reads.append(
                    Read(event["who"], what["begin"], what["at"], seen, what["sequence"],
                         what["generation"], what["state"], settings)
                )  # fmt: skip
            case "damaged":
                history.violate("damaged", f"{event}")
    history.writes.extend(begun.values())
    return history


@pytest.mark.system
def test_no_promise_is_broken_by_processes_that_are_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with seaweed(tmp_path / "data", "killed") as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        index = Index(S3ObjectStore(connect(), "killed"), PREFIX, model="m", policy=POLICY)
        index.create()
        (tmp_path / "events").mkdir()
        troupe = Troupe(tmp_path / "events", {**os.environ, "OPENBLAS_NUM_THREADS": "1"})
        try:
            play(troupe)
        finally:
            while troupe.alive:
                _, process = troupe.alive.pop()
                process.kill()
                process.wait()
        history = history_of(troupe)
        look_again(index, history)
    broken = history.check()
    assert not broken, worst(broken)
    assert troupe.killed >= 3
    assert sum(write.sequence is not None for write in history.writes) >= ENOUGH
    assert max(read.generation for read in history.reads) >= 3
    assert any(read.settings for read in history.reads)


def play(troupe: Troupe) -> None:
    """Let the processes work and kill one after the other."""
    dice = random.Random(time.time_ns())
    for role in CAST:
        troupe.start(role)
    wait = time.monotonic() + 60
    while not troupe.ready() and time.monotonic() < wait:
        time.sleep(0.05)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or (not troupe.busy() and time.monotonic() < end + PATIENCE):
        time.sleep(dice.uniform(0.2, 1.5))
        troupe.start(troupe.kill(dice.randrange(len(troupe.alive))))


def look_again(index: Index, history: History) -> None:
    """Read once more, before and after all upkeep that is due."""
    for _ in range(2):
        begin = time.monotonic_ns()
        snapshot = index.snapshot()
        end = time.monotonic_ns()
        pictures = snapshot.matching(None, limit=1000)
        seen, settings = state_of(pictures)
        state = snapshot.view.manifest.encode().hex()
        history.reads.append(
            Read("last", begin, end, seen, snapshot.sequence, snapshot.generation, state, settings)
        )
        index.maintain()
