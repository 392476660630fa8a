import numpy as np
import pytest
from imagesearch.words.encoder import Encoder
from imagesearch.words.gloss import gloss, vector


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("狗", ("dog", "puppy")),
        ("猫", ("cat", "kitten")),
        ("折叠椅", ("folding chair",)),
        ("折 叠 椅", ("folding chair",)),
        ("椅子", ("chair", "seat")),
        ("水果", ("fruit",)),
        ("红色的椅子", ()),
        ("chair", ()),
        ("", ()),
    ],
)
def test_a_chinese_name_has_its_english_ones(text: str, wanted: tuple[str, ...]) -> None:
    assert gloss(text) == wanted


def test_a_chinese_name_moves_towards_its_english_ones(encoder: Encoder) -> None:
    english, alone = encoder.vector("folding chair"), encoder.vector("折叠椅")
    moved = vector(encoder, "折叠椅")
    assert english is not None
    assert alone is not None
    assert moved is not None
    assert float(moved @ english) > float(alone @ english)
    assert np.linalg.norm(moved) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["folding chair", "红色的椅子"])
def test_other_texts_keep_their_vector(encoder: Encoder, text: str) -> None:
    own, found = encoder.vector(text), vector(encoder, text)
    assert own is not None
    assert found is not None
    assert (found == own).all()


def test_an_unknown_text_has_none(encoder: Encoder) -> None:
    assert vector(encoder, "สวัสดี") is None
