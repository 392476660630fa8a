"""A real process at a real store, which writes down what it does until it is killed.

``python -m tests.simulation.worker ROLE NUMBER BUCKET PREFIX``; the store is in the environment.
Each line on its standard output is one event in JSON. Time is the machine's monotonic clock,
which all processes share.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

import msgspec
from imagesearch.catalogue import OTHER, Attributes, Picture, PictureKey, Region
from imagesearch.errors import CorruptObject, LostRace, StorageUnavailable
from imagesearch.index import Change, Entry, Index, OfPicture, OfProduct, Policy
from imagesearch.storage.s3 import S3ObjectStore, connect

from tests.simulation.actors import look
from tests.simulation.scenario import KEYS

POLICY = Policy(
    fold_objects=2,
    write_deadline=4,
    settle_after=6,
    remember=6,
    listing_target=4,
    grace=20,
    retention=60,
    keep_all=30,
    sweep_every=1,
    tier=2,
)


def tell(event: str, **what: Any) -> None:
    """Write one event down, so that it is there whatever happens next."""
    sys.stdout.buffer.write(msgspec.json.encode({"event": event, **what}) + b"\n")
    sys.stdout.buffer.flush()


def write(index: Index, dice: random.Random, version: int) -> None:
    """Add, replace, change or delete."""
    key = dice.choice(KEYS)
    kind = dice.choice(["add", "add", "add", "change", "change", "picture", "product"])
    changed = [k for k in KEYS if kind == "product" and k.product_id == key.product_id] or [key]
    value = version if kind == "add" else None
    changes = [(*k, value) for k in changed] if kind != "change" else []
    settings = [(*key, version)] if kind == "change" else []
    begin = time.monotonic_ns()
    tell("begin", at=begin, changes=changes, settings=settings)
    after = index.snapshot()
    if kind == "add":
        sequence = index.append([_entry(key, version)], after=after)
    elif kind == "change":
        sequence = index.append(changes=[Change(key, {"int_attr2": version})], after=after)
    else:
        deletion = OfPicture(key) if kind == "picture" else OfProduct(key.product_id)
        sequence = index.append(deletions=[deletion], after=after)
    tell("done", begin=begin, at=time.monotonic_ns(), sequence=sequence)


def _entry(key: PictureKey, version: int) -> Entry:
    attributes = Attributes(int_attr=version)
    return Entry(Picture(key, OTHER, Region(0, 1, 0, 1), attributes), look(version % 8))


def read(index: Index) -> None:
    """Look at everything."""
    begin = time.monotonic_ns()
    snapshot = index.snapshot()
    end = time.monotonic_ns()
    pictures = snapshot.matching(None, limit=1000)
    seen = [(*p.key, p.attributes.int_attr, p.attributes.int_attr2) for p in pictures]
    counts = snapshot.pictures, snapshot.products
    tell(
        "read",
        begin=begin,
        at=end,
        seen=seen,
        counts=counts,
        sequence=snapshot.sequence,
        generation=snapshot.generation,
        state=snapshot.view.manifest.encode().hex(),
    )


def work(role: str, number: int, bucket: str, prefix: str) -> None:
    """Do the same for ever."""
    store = S3ObjectStore(connect(), bucket)
    index = Index(store, prefix, model="m", policy=POLICY)
    dice = random.Random(number)
    version = number * 1_000_000
    tell("ready")
    while True:
        version += 1
        try:
            if role == "writer":
                write(index, dice, version)
            elif role == "reader":
                read(index)
            else:
                index.maintain()
        except (StorageUnavailable, LostRace):
            continue
        except CorruptObject as error:
            tell("damaged", detail=error.detail)
        time.sleep(dice.uniform(0, 0.05))


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
