"""An instance that is used all the time is handed over to an engine, and back, and there again.

The engine is the fake of S3 Vectors, over HTTP, which the functions and the command line find as
they would find the service. The command and the functions are killed in the middle.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import httpx
import numpy as np
import pytest
from imagesearch.catalogue import Attributes, Picture, PictureKey, Region
from imagesearch.index import Entry
from imagesearch_local.direct import open_deployment
from imagesearch_local.folder import DataFolder

from tests.engines.fake_s3vectors import FakeS3Vectors
from tests.running import ROOT, Service

pytestmark = pytest.mark.system

PICTURES, PER_PRODUCT, BATCH = 2000, 4, 250
VECTORS = "imagesearch-local-vectors"
NOT_INDEXED = "PicNotExist"
PATH = "/v1/instances/shop"


@dataclass
class Book:
    """What was acknowledged: the tag of each picture, ``None`` once it is deleted."""

    tags: dict[tuple[str, str], int | None] = field(default_factory=dict)
    unknown: set[tuple[str, str]] = field(default_factory=set)
    writes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Fake(FakeS3Vectors):
    """The fake, which does not mind whoever is killed while it answers."""

    def handle_error(self, *_: object) -> None:
        pass


def load(service: Service, book: Book) -> None:
    """Write pictures past the models, in products whose pictures look nearly alike."""
    dice = np.random.default_rng(1)
    looks = dice.standard_normal((PICTURES // PER_PRODUCT, 512)).repeat(PER_PRODUCT, 0)
    looks += 0.3 * dice.standard_normal(looks.shape)
    entries = []
    for number, look in enumerate(looks.astype(np.float32)):
        key = PictureKey(f"p{number // PER_PRODUCT}", str(number % PER_PRODUCT))
        picture = Picture(key, 5, Region.whole(64, 64), Attributes(int_attr=0))
        entries.append(Entry.of(picture, look, None))
        book.tags[key] = 0
    with mock.patch.dict(os.environ):
        deployment = open_deployment(DataFolder(service.data), ROOT / "template.yaml")
        index = deployment.index(deployment.instances.get("shop"))
        for start in range(0, PICTURES, BATCH):
            index.append(entries[start : start + BATCH], after=index.place())
            index.fold()


class Writer(threading.Thread):
    """Changes, deletes and brings back pictures, each product by one writer, until stopped."""

    def __init__(self, service: Service, book: Book, number: int) -> None:
        super().__init__(daemon=True)
        self._service, self._book, self._number = service, book, number
        self._dice = random.Random(number)
        self._halt = threading.Event()

    def run(self) -> None:
        keys = [key for key in self._book.tags if hash(key[0]) % 2 == self._number]
        with self._service.client() as client:
            while not self._halt.wait(0.03):
                self._write(client, self._dice.choice(keys))

    def stop(self) -> None:
        self._halt.set()
        self.join()

    def _write(self, client: httpx.Client, key: tuple[str, str]) -> None:
        path = f"{PATH}/pictures/{key[0]}/{key[1]}"
        tag = self._dice.randrange(1, 1000)
        delete = self._dice.random() < 0.2
        if self._book.tags[key] is None:
            return
        with self._book.lock:
            self._book.unknown.add(key)
        try:
            answer = client.delete(path) if delete else client.patch(path, json={"int_attr": tag})
        except httpx.TransportError:
            return  # whether it was done is not known: nothing is said of this picture
        if answer.status_code < 300:
            with self._book.lock:
                self._book.tags[key] = None if delete else tag
                self._book.unknown.discard(key)
                self._book.writes += 1


@contextmanager
def writing(service: Service, book: Book) -> Iterator[None]:
    writers = [Writer(service, book, number) for number in range(2)]
    for writer in writers:
        writer.start()
    try:
        yield
    finally:
        for writer in writers:
            writer.stop()


def check(service: Service, book: Book, count: int, seed: int) -> None:
    """Search for pictures by name: those there come first, as last changed; the others are gone."""
    keys = random.Random(seed).sample(sorted(book.tags), count)
    touched = [key for key in book.tags if book.tags[key] != 0][-count:]
    with service.client() as client:
        for key in {*keys, *touched}:
            with book.lock:
                tag = book.tags[key]
                gone = {one for one in book.tags if book.tags[one] is None}
            named = {"product_id": key[0], "pic_name": key[1], "num": PER_PRODUCT + 1}
            while (answer := client.post(f"{PATH}/search", json=named)).status_code >= 500:
                time.sleep(0.1)  # the function was killed over it
            with book.lock:
                if key in book.unknown or book.tags[key] != tag:
                    continue  # it was written to meanwhile
            if tag is None:
                assert (answer.status_code, answer.json()["code"]) == (400, NOT_INDEXED)
                continue
            first, *others = answer.json()["hits"]
            assert (first["product_id"], first["pic_name"]) == key
            assert (first["score"], first["int_attr"]) == (1.0, tag)
            assert not gone & {(hit["product_id"], hit["pic_name"]) for hit in others}


def handover(service: Service, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "imagesearch_local.cli", "handover", "shop", "--json"]
    return subprocess.Popen(
        [*command, "--data", str(service.data), *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    answer, _ = process.communicate(timeout=60)
    assert process.returncode == 0, answer
    found: dict[str, Any] = json.loads(answer)
    return found


def puts(fake: FakeS3Vectors) -> int:
    return sum(name == "PutVectors" for name, _ in fake.requests)


def kill_functions(service: Service) -> None:
    for pid in service.function_processes():
        os.kill(pid, signal.SIGKILL)


def test_it_is_handed_over_under_load_and_killed_and_nothing_is_lost(own_service: Service) -> None:
    book = Book()
    with Fake((VECTORS,), throttled_every=50, page=500) as fake:
        own_service.start("--parameter", "Engine=s3vectors", "--parameter", f"EngineUri={fake.url}")
        with own_service.client() as client:
            client.put(PATH, json={"service": "product"}).raise_for_status()
        load(own_service, book)
        with writing(own_service, book):
            first = handover(own_service)
            while puts(fake) < 3:
                time.sleep(0.005)
            first.kill()
            first.communicate()
            kill_functions(own_service)
            filled = told(handover(own_service, "--compare", "40", "--switch"))
            assert filled["stage"] == "serving"
            assert filled["held"] == filled["rows"] >= PICTURES
            assert filled["overlap_at_10"] > 0.95
            assert filled["live_searches"] + filled["stored_pictures"] == 40
            check(own_service, book, 15, 1)
            kill_functions(own_service)
            check(own_service, book, 15, 2)
            assert told(handover(own_service, "--back"))["stage"] == "ready"
            check(own_service, book, 15, 3)
            again = told(handover(own_service, "--compare", "20", "--switch"))
            assert again["stage"] == "serving"
        check(own_service, book, 40, 4)
        asked = sum(name == "QueryVectors" for name, _ in fake.requests)
        assert asked > 100
        assert book.writes > 100
        assert told(handover(own_service, "--back"))["stage"] == "ready"
        check(own_service, book, 15, 5)
        own_service.stop()
