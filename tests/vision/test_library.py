"""Bundles in object storage."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from imagesearch.catalogue import Service
from imagesearch.errors import ModelError, StorageUnavailable
from imagesearch.vision import Vision
from imagesearch.vision.library import Library

from tests.pictures import as_bytes, drawn
from tests.stores import MemoryStore

IMAGE = as_bytes(drawn(1), "PNG")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_a_published_bundle_looks_as_the_folder_does(
    store: MemoryStore, tiny: Path, tmp_path: Path
) -> None:
    library = Library(store, tmp_path)
    assert list(library) == []
    assert library.publish(tiny) == "tiny-1"
    assert list(library) == ["tiny-1"]
    folder = library.fetch("tiny-1")
    wanted, got = (Vision.load(f).look(IMAGE, Service.PRODUCT).vector for f in (tiny, folder))
    assert (wanted == got).all()


def test_it_is_downloaded_once(store: MemoryStore, tiny: Path, tmp_path: Path) -> None:
    library = Library(store, tmp_path / "cache")
    library.publish(tiny)
    folder = library.fetch("tiny-1")
    asked = len(store.requests)
    assert library.fetch("tiny-1") == Library(store, tmp_path / "cache").fetch("tiny-1") == folder
    assert len(store.requests) == asked
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tiny-1"]


def test_several_may_fetch_at_once(store: MemoryStore, tiny: Path, tmp_path: Path) -> None:
    Library(store, tmp_path).publish(tiny)
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: Library(store, tmp_path).fetch("tiny-1"), range(16)))
    assert len(set(folders)) == 1
    Vision.load(folders[0]).warm()


def test_an_id_is_never_given_to_another_bundle(
    store: MemoryStore, tiny: Path, bundle: Callable[..., Path], tmp_path: Path
) -> None:
    library = Library(store, tmp_path)
    library.publish(tiny)
    library.publish(tiny)
    with pytest.raises(ModelError, match=r"'tiny-1' with another bundle\.json"):
        library.publish(bundle(calibration={}))


def test_an_unsound_bundle_is_not_published(
    store: MemoryStore, bundle: Callable[..., Path], tmp_path: Path
) -> None:
    folder = bundle()
    (folder / "tiny.onnx").write_bytes(b"altered")
    with pytest.raises(ModelError):
        Library(store, tmp_path).publish(folder)
    assert list(store.list("")) == []


@pytest.mark.parametrize("id_", ["nothing", "../tiny-1", "", "a/b", "."])
def test_a_bundle_that_is_not_there_is_refused(
    store: MemoryStore, tiny: Path, tmp_path: Path, id_: str
) -> None:
    library = Library(store, tmp_path / "cache")
    library.publish(tiny)
    with pytest.raises(ModelError):
        library.fetch(id_)


def test_a_download_that_breaks_off_leaves_nothing(
    store: MemoryStore, tiny: Path, tmp_path: Path
) -> None:
    library = Library(store, tmp_path)
    library.publish(tiny)

    def fail(verb: str, _key: str) -> None:
        if verb == "get_range":
            raise StorageUnavailable("gone")

    store.before = fail
    with pytest.raises(StorageUnavailable):
        library.fetch("tiny-1")
    assert list(tmp_path.iterdir()) == []
    store.before = lambda _verb, _key: None
    Vision.load(library.fetch("tiny-1")).warm()


def test_a_lost_file_and_an_altered_one_are_named(
    store: MemoryStore, tiny: Path, tmp_path: Path
) -> None:
    Library(store, tmp_path).publish(tiny)
    size = len(store.get("models/tiny-1/tiny.onnx").body)
    store.put("models/tiny-1/tiny.onnx", bytes(size))
    with pytest.raises(ModelError, match=r"tiny\.onnx was altered"):
        Vision.load(Library(store, tmp_path / "a").fetch("tiny-1"))
    store.delete(["models/tiny-1/tiny.onnx"])
    with pytest.raises(ModelError, match=r"tiny\.onnx of the published bundle 'tiny-1' is missing"):
        Library(store, tmp_path / "b").fetch("tiny-1")
