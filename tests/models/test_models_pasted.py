"""Subjects are cut out of photographs only where the teacher is sure of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="needs tools/models/requirements.txt")

from tools.models.pasted import cut_out

PICTURE = np.full((120, 160, 3), 90, np.uint8)


def mask(top: int, bottom: int, left: int, right: int, value: float = 1.0) -> np.ndarray:
    made = np.zeros((120, 160), np.float32)
    made[top:bottom, left:right] = value
    return made


def test_a_sure_subject_is_cut_to_its_box() -> None:
    subject = cut_out(PICTURE, mask(30, 90, 40, 100))
    assert subject is not None
    assert np.abs(np.subtract(subject.shape, (60, 60, 4))).max() <= 2
    assert subject[30, 30].tolist() == [90, 90, 90, 255]


@pytest.mark.parametrize(
    "unsure",
    [
        mask(30, 90, 40, 100, 0.6),
        mask(0, 8, 0, 8),
        mask(0, 120, 10, 150),
        mask(20, 100, 0, 70),
    ],
    ids=["faint", "tiny", "nearly everything", "beyond the picture"],
)
def test_an_unsure_one_is_not(unsure: np.ndarray) -> None:
    assert cut_out(PICTURE, unsure) is None
