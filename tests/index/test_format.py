"""docs/index-format.md is true: its reader reads real indexes, its examples are real bytes."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from imagesearch.catalogue import OTHER, PictureKey
from imagesearch.index import (
    Change,
    Entry,
    Index,
    OfPicture,
    OfProduct,
    Policy,
    encode,
    encode_meaning,
)
from imagesearch.index.log import LogObject, Version, operation_number
from imagesearch.index.manifest import Manifest
from imagesearch.index.policy import Policy as Settings
from imagesearch.index.sections import Sections

from tests.index.makers import entry, key, vector
from tests.stores import MemoryStore

PAGE = (Path(__file__).parents[2] / "docs/index-format.md").read_text()


@pytest.fixture(params=[None, 5], ids=["rows", "graph"])
def stored(request: pytest.FixtureRequest) -> tuple[MemoryStore, Index]:
    """An index with a bit of everything."""
    store = MemoryStore()
    index = Index(store, "i/", model="m", policy=Policy(parallel=1, graph_rows=request.param))
    index.create()
    for part in range(3):
        entries = [
            seen(
                n,
                entry(
                    n % 20,
                    f"红 {n}",
                    category=(0, 3, OTHER)[n % 3],
                    int_attr=n - 30 if n % 4 else None,
                    int_attr2=n * 10**6,
                    str_attr=f"s{n % 5}" if n % 2 else None,
                    custom_content="" if n % 7 == 0 else None,
                ),
            )
            for n in range(part * 25, part * 25 + 25)
        ]
        index.append(entries, after=index.snapshot())
        index.fold()
    gone = [OfProduct("3"), OfPicture(key(1, "红 1")), OfPicture(key(0, "none"))]
    index.append([entry(3, "back"), entry(2, "红 2", seed=5)], gone, after=index.snapshot())
    index.fold()
    change(index, key(15, "红 15"), key(16, "红 16"), key(3, "back"), key(0, "none"))
    index.fold()
    added = seen(8, entry(9, "new")), seen(9, entry(9, "newer"))
    index.append(added, [OfProduct("4")], after=index.snapshot())
    change(index, key(16, "红 36"), key(9, "new"))
    return store, index


def seen(n: int, bare: Entry) -> Entry:
    """Return an entry of which more is known, if the number says so."""
    thumbnail, classes = f"t/{n}" if n % 3 else "", (n, 999)[: n % 3]
    picture = replace(bare.picture, thumbnail=thumbnail, classes=classes)
    return Entry(picture, bare.features, encode_meaning(vector(n)) if 24 < n < 60 else None)


def change(index: Index, *keys: PictureKey) -> None:
    """Change attributes of some pictures, and give those without a meaning one."""
    snapshot = index.snapshot()
    versions = {lack.picture.key: lack.version for lack in snapshot.without_meaning(limit=1000)}
    meaning = encode_meaning(vector(1))
    changes = [Change(k, {"str_attr2": "changed", "int_attr": -1}) for k in keys]
    changes += [
        Change(k, of=versions[k], meaning=meaning, thumbnail="changed")
        for k in keys
        if k in versions
    ]
    index.append(changes=changes, after=snapshot)


def test_the_reader_on_the_page_reads_a_real_index(
    stored: tuple[MemoryStore, Index], tmp_path: Path
) -> None:
    store, index = stored
    for name in store.keys("i/"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(store.body(name))
    code = re.findall(r"```python[^\n]*\n(.*?)```", PAGE, re.DOTALL)
    assert len(code) == 1
    (tmp_path / "reader.py").write_text(code[0])
    listed = subprocess.run(
        [sys.executable, tmp_path / "reader.py", tmp_path / "i"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    snapshot = index.snapshot()
    entries = [snapshot.find(p.key) for p in snapshot.matching(None, limit=1000)]
    assert listed == [line(entry) for entry in entries if entry]
    assert len(listed) == snapshot.pictures > 50
    assert sum("changed" in told for told in listed) == 5
    assert sum('"meaning": "' in told for told in listed) > 20


def line(entry: Entry) -> str:
    """Return what the reader prints of a picture."""
    picture, meaning = entry.picture, entry.meaning
    told = {
        **picture.attributes.given(),
        "category": picture.category_id,
        "row": entry.features.row[:4].tobytes().hex(),
        "thumbnail": picture.thumbnail,
        "classes": picture.classes,
        "meaning": None if meaning is None else meaning[:4].tobytes().hex(),
    }
    return "\t".join((*picture.key, json.dumps(told, sort_keys=True)))


def test_every_column_and_field_is_on_the_page(stored: tuple[MemoryStore, Index]) -> None:
    store, _ = stored
    page = PAGE.replace("`, `.text`", "`, `custom_content.text`")
    for name in store.keys("i/seg/"):
        if name.endswith(".meta"):
            columns = Sections(name, memoryview(store.body(name)))._directory.columns
            for column in columns:
                generic = re.sub(r"^(int|str)_attr\d?\.", "<name>.", column)
                generic = re.sub(r"^(int|str)_attr\d$", r"\1_attr", generic)
                generic = re.sub(r"^(custom_content|meaning).present", "<name>.present", generic)
                assert f"`{generic}`" in page, column
    for field in msgspec.structs.fields(Manifest):
        assert f"`{field.name}`" in PAGE


def test_the_worked_examples_are_what_is_written() -> None:
    dump = "".join(re.findall(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+)", PAGE, re.MULTILINE))
    written = LogObject(
        "00112233445566778899aabbccddeeff",
        Version(1_700_000_000_000_000, operation_number("example")),
        "",
        "lite0-1",
        (OfProduct("p1"),),
        (),
    )
    assert bytes.fromhex(dump) == written.encode()
    assert f"in {len(written.encode())}\nbytes named `wal/{written.version.name}`" in PAGE
    ramp = encode((np.arange(512) * 37 % 101 - 50).astype(np.float32))
    for start in (ramp.row, ramp.bits):
        assert f"`{start[:8].tobytes().hex(' ')} …`" in PAGE


def test_the_times_and_limits_on_the_page_are_the_settings() -> None:
    settings = Settings()
    for sentence in (
        f"within {settings.write_deadline:.0f} s of the listing",
        f"{settings.tier} segments of similar size",
        f"more than {settings.dead_share * 100:.0f} % dead",
        f"at most\n  {settings.segment_rows:,} rows",
        f"a mark that is {settings.settle_after / 60:.0f} minutes old",
        f"fewer than {settings.listing_target} names",
        f"`history/` after {settings.retention / 86_400:.0f} days",
    ):
        assert sentence in PAGE
    assert (settings.sweep_every, settings.grace, settings.remember, settings.keep_all) == (
        86_400.0,
    ) * 4
    assert settings.graph_rows is None
