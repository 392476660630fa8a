"""The photographs that teach the subject decoder, and those kept aside to measure it on."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.models import photographs
from tools.models.photographs import Photograph, Use, by_source, listed
from tools.models.sources import SOURCES

USES: tuple[Use, ...] = ("learn", "choose", "measure")


def test_enough_are_kept_aside_and_none_is_listed_twice() -> None:
    found = [(p.source, p.path) for use in USES for p in listed(use)]
    assert len(listed("measure")) >= 40
    assert len(listed("choose")) >= 20
    assert len(set(found)) == len(found)


def test_the_packages_to_choose_by_teach_nothing() -> None:
    learn, choose, measure = ({p.source for p in listed(use)} for use in USES)
    assert not choose & (learn | measure)


def test_every_package_is_pinned_and_of_a_free_licence() -> None:
    for photograph in (p for use in USES for p in listed(use)):
        source = SOURCES[photograph.source]
        assert source.licence.startswith(("MIT", "Apache-2.0", "BSD-3-Clause"))
        assert len(source.sha256) == 64


def test_the_card_counts_every_use() -> None:
    lines = by_source()
    assert [name for name, _ in groupby(line.split()[0] for line in lines)] == sorted(
        {p.source for use in USES for p in listed(use)}
    )
    assert any("0 to choose by, 19 to measure on" in line for line in lines)


@pytest.mark.parametrize("source", ["vegas", "opencv-doc"])
def test_a_photograph_is_read_small(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = (tmp_path if SOURCES[source].is_debian else tmp_path / "package") / "img"
    folder.mkdir(parents=True)
    Image.new("RGB", (1600, 800), (10, 200, 30)).save(folder / "wide.jpg")
    monkeypatch.setattr(photographs, "unpack", lambda *_: tmp_path)
    picture = Photograph(source, "img/wide.jpg", "learn").picture(tmp_path)
    assert picture.shape == (320, 640, 3)
    assert np.abs(picture[100, 100].astype(int) - (10, 200, 30)).max() < 4
