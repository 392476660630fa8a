"""What the documents say exists, exists, and what they show works."""

import re
from pathlib import Path

import pytest
from imagesearch.catalogue.filter import Filter

from tests.docs.snippets import PAGES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_named_tests_exist(page: Path) -> None:
    named = set(re.findall(r"`(tests/[\w./]+?)(?:::(\w+))?`", page.read_text()))
    missing = [path for path, _ in named if not (ROOT / path).exists()]
    assert missing == []
    for path, test in named:
        if test:
            assert re.search(rf"\b((def|class) {test}\b|{test} = )", (ROOT / path).read_text())


def test_the_filters_shown_can_be_read() -> None:
    page = (ROOT / "docs/filters.md").read_text()
    shown = [
        line
        for block in re.findall(r"```filter\n(.*?)```", page, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(shown) > 5
    for text in shown:
        Filter.parse(text)
