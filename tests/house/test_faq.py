"""Every answer of the questions' page is proved by tests, in both languages by the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/faq.md", "docs/faq.zh-CN.md")


def answers(page: str) -> list[list[str]]:
    """Return the tests named by each answer."""
    parts = (ROOT / page).read_text().split("\n## ")[1:]
    return [re.findall(r"`(tests/\S+::\w+)`", part) for part in parts]


@pytest.mark.parametrize("page", PAGES)
def test_each_answer_is_proved(page: str) -> None:
    assert all(answers(page))


def test_both_languages_are_proved_by_the_same_tests() -> None:
    assert answers(PAGES[0]) == answers(PAGES[1])
