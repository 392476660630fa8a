"""What the documents say exists, exists, and what they show works."""

import re
from pathlib import Path

import pytest
from imagesearch.catalogue.filter import Filter

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "layers", "evaluation", "benchmarks", "local")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]
)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in local if not (page.parent / target).exists()] == []


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
