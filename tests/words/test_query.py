import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.errors import InvalidField
from imagesearch.words import understood


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("red chair", "red chair"),
        ("  red \t chair\n", "red chair"),
        ("A photo of a red chair", "red chair"),
        ("photos of red chairs", "red chairs"),
        ("Show me a picture of the red chair", "red chair"),
        ("please find me some red chairs", "red chairs"),
        ("I'm looking for an umbrella", "umbrella"),
        ("red chair pictures", "red chair"),
        ("红色椅子的图片", "红色椅子"),
        ("帮我找红色椅子的照片", "红色椅子"),
        ("搜索 椅子", "椅子"),
        ("ＲＥＤ　ｃｈａｉｒ", "RED chair"),
        ("picture", "picture"),
        ("a photo of", "photo of"),
        ("photo frame", "photo frame"),
        ("图片", "图片"),
        ("地图", "地图"),
        ("一张猫的图", "一张猫"),
        ("the", "the"),
        ("38", "38"),
    ],
)
def test_lead_ins_are_taken_away_and_nothing_else(text: str, wanted: str) -> None:
    assert understood(text) == wanted


@pytest.mark.parametrize("text", ["", " ", "\u3000", "?!", "🍎", "\u200b", "…—"])
def test_a_text_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(InvalidField, match="no word in it") as refused:
        understood(text)
    assert refused.value.field == "text"


def test_the_limit_is_512_characters() -> None:
    assert understood("x" * 512) == "x" * 512
    with pytest.raises(InvalidField, match="513 characters; the limit is 512"):
        understood("x" * 513)


@given(st.text(max_size=512))
def test_what_is_understood_says_something_or_is_refused(text: str) -> None:
    try:
        found = understood(text)
    except InvalidField:
        return
    assert 0 < len(found) <= 512
    assert found == " ".join(found.split())
    assert any(character.isalnum() for character in found)
