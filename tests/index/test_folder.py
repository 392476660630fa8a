"""Segment files in the folder of a function: checked before use, fetched again, tidied."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from imagesearch.errors import CorruptObject
from imagesearch.index import (
    Index,
    Policy,
    Query,
    encode,
)
from imagesearch.index.files import Files

from tests.index.makers import PREFIX, entry, index_at, look, vector
from tests.stores import MemoryStore


class TestFolder:
    """Segment files in a folder on the machine, large ones read row by row at first."""

    @pytest.fixture
    def store(self, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
        monkeypatch.setattr("imagesearch.index.shelf._FEW_BYTES", 1000)
        monkeypatch.setattr("imagesearch.index.files._PART", 700)
        store = MemoryStore()
        index = index_at(store)
        index.create()
        dice = np.random.default_rng(1)
        for _ in range(2):
            near = [
                encode((vector(1) + n / 50 * dice.standard_normal(512)).astype("f4"))
                for n in range(1, 401)
            ]
            entries = [entry(dice.integers(10**9), features=f) for f in near]
            index.append(entries, after=index.snapshot())
            index.fold()
        return store

    def expected(self, store: MemoryStore) -> object:
        return index_at(store).snapshot().search(Query(features=look(1)))

    def test_a_first_search_reads_single_rows_and_answers_the_same(
        self, store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("imagesearch.index.files.Files.fetch_soon", lambda *_: None)
        expected = self.expected(store)
        store.requests.clear()
        index = index_at(store, cache=tmp_path)
        assert index.snapshot().search(Query(features=look(1))) == expected
        reads = [verb for verb, name in store.requests if name.endswith(".i8")]
        assert 10 <= len(reads) <= 256
        deep = Query(features=look(1), num=100)
        assert index.snapshot().search(deep) == index_at(store).snapshot().search(deep)

    def test_the_rows_come_in_the_background_and_are_used_from_then_on(
        self, store: MemoryStore, tmp_path: Path
    ) -> None:
        index = index_at(store, cache=tmp_path)
        expected = self.expected(store)
        assert index.snapshot().search(Query(features=look(1))) == expected
        segments = index.snapshot().view.segments()
        index.snapshot().view.shelf.prepare(segments, tables_only=False)
        for segment in segments:
            segment._files.fetch([segment.looks])
            assert not segment.remote
        store.requests.clear()
        assert index.snapshot().search(Query(features=look(1))) == expected
        assert len(store.requests) == 2

    def test_a_later_search_waits_a_little_for_the_rows_of_the_first(
        self, store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def bring_slowly(files: Files) -> None:
            files._hurry.wait()  # as in a function, whose threads stand still between its calls
            time.sleep(0.2)
            bring_later(files)

        bring_later = Files._bring_later
        monkeypatch.setattr(Files, "_bring_later", bring_slowly)
        monkeypatch.setattr("imagesearch.index.shelf._PATIENCE", 60.0)
        index = index_at(store, cache=tmp_path)
        expected = self.expected(store)
        assert index.snapshot().search(Query(features=look(1))) == expected
        assert all(segment.remote for segment in index.snapshot().view.segments())
        store.requests.clear()
        assert index.snapshot().search(Query(features=look(1))) == expected
        assert len([name for _, name in store.requests if name.endswith(".i8")]) > 2
        assert not any(segment.remote for segment in index.snapshot().view.segments())

    def test_rows_that_do_not_come_are_waited_for_no_longer_than_that(
        self, store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("imagesearch.index.shelf._PATIENCE", 0.01)
        monkeypatch.setattr("imagesearch.index.files.Files._bring_later", lambda _: None)
        index = index_at(store, cache=tmp_path)
        expected = self.expected(store)
        for _ in range(2):
            assert index.snapshot().search(Query(features=look(1))) == expected
        assert any(segment.remote for segment in index.snapshot().view.segments())

    def test_what_was_fetched_ahead_is_there_for_the_search(
        self, store: MemoryStore, tmp_path: Path
    ) -> None:
        expected = self.expected(store)
        snapshot = index_at(store, cache=tmp_path).snapshot()
        snapshot.fetch()
        store.requests.clear()
        assert snapshot.search(Query(features=look(1))) == expected
        assert not [name for _, name in store.requests if name.endswith((".meta", ".b1"))]

    def test_what_cannot_be_fetched_ahead_is_told_by_the_search(
        self, store: MemoryStore, tmp_path: Path
    ) -> None:
        store.delete([next(i.key for i in store.list(PREFIX) if i.key.endswith(".b1"))])
        snapshot = index_at(store, cache=tmp_path).snapshot()
        snapshot.fetch()
        with pytest.raises(CorruptObject, match="missing"):
            snapshot.search(Query(features=look(1)))

    def test_another_process_uses_the_folder_but_not_a_damaged_file_in_it(
        self, store: MemoryStore, tmp_path: Path
    ) -> None:
        query = Query(features=look(1), num=100)
        expected = index_at(store, cache=tmp_path).snapshot().search(query)
        files = sorted(tmp_path.iterdir())
        assert len(files) == 6
        store.requests.clear()
        assert index_at(store, cache=tmp_path).snapshot().search(query) == expected
        assert not [name for _, name in store.requests if "/seg/" in name]
        for file in files:
            body = bytearray(file.read_bytes())
            body[len(body) // 2] ^= 1
            file.unlink()
            file.write_bytes(body)
            assert index_at(store, cache=tmp_path).snapshot().search(query) == expected
            assert file.read_bytes() != bytes(body)

    def test_files_of_segments_that_are_gone_are_removed(
        self, store: MemoryStore, tmp_path: Path
    ) -> None:
        query = Query(features=look(1), num=100)
        first = index_at(store, cache=tmp_path)
        first.snapshot().search(query)
        (tmp_path / "000000000001-aa.i8").write_bytes(b"of an earlier time")
        abandoned, coming = (tmp_path / f"000000000001-aa.i8.{n}" for n in "01")
        for partial in (abandoned, coming):
            partial.write_bytes(b"part")
        os.utime(abandoned, (0, 0))
        index = Index(store, PREFIX, model="m", policy=Policy(parallel=1, tier=2))
        assert index.maintain().merged == 2
        first.snapshot().search(query)
        again = index_at(store, cache=tmp_path)
        again.snapshot().search(query)
        manifest = again.snapshot().view.manifest
        assert coming.exists()
        coming.unlink()
        assert {f.name.partition(".")[0] for f in tmp_path.iterdir()} == {
            s.id for s in manifest.segments
        }

    def test_a_damaged_row_is_found_when_it_is_read_alone(
        self, store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("imagesearch.index.files.Files.fetch_soon", lambda *_: None)
        for name in store.keys(PREFIX + "seg/"):
            if name.endswith(".i8"):
                body = np.frombuffer(store.body(name), np.int8).copy()
                body[5::512] += 1
                store.damage(name, body.tobytes())
        with pytest.raises(CorruptObject, match=r"\.i8 has altered bytes in row"):
            index_at(store, cache=tmp_path).snapshot().search(Query(features=look(1)))
