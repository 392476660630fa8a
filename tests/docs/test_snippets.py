"""Every code block of the documentation works, or says why it is not run here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.snippets import CODE, PAGES, ROOT, RUN, SHOWN, Snippet, carry_out, name, snippets

ALL = [snippet for page in PAGES for snippet in snippets(page)]
RUN_HERE = [one for one in ALL if one.language in RUN and not one.not_run and not one.tested_by]


def code(page: Path) -> list[str]:
    """Return the blocks of a page that are run, without their comments."""
    return [re.sub(r"\s*#.*", "", one.text) for one in RUN_HERE if one.page == page]


def says_the_same(page: Path) -> bool:
    """Tell whether a translated page has the very code of its original, which is run there."""
    original = page.with_name(page.name.replace(".zh-CN", ""))
    return page != original and code(page) == code(original)


TO_RUN = [page for page in PAGES if code(page) and not says_the_same(page)]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_has_a_language_and_a_known_mark(page: Path) -> None:
    for snippet in snippets(page):
        assert snippet.language in CODE | SHOWN, f"{snippet}: say what language it is"
        if snippet.language in CODE - RUN:
            assert snippet.tested_by or snippet.not_run, f"{snippet}: say what runs it"
        if snippet.tested_by:
            assert (ROOT / snippet.tested_by).is_file(), snippet


@pytest.mark.system
@pytest.mark.parametrize("page", TO_RUN, ids=name)
def test_the_blocks_of_a_page_run_one_after_the_other(
    page: Path, folder: Path, environment: dict[str, str]
) -> None:
    for snippet in (one for one in RUN_HERE if one.page == page):
        assert carry_out(snippet, folder, environment) == ""


@pytest.mark.parametrize("snippet", [one for one in ALL if one.not_run], ids=str)
def test_blocks_that_cannot_run_here(snippet: Snippet) -> None:
    assert len(snippet.not_run) > 8, f"{snippet}: the reason is too short"
    pytest.skip(snippet.not_run)


def test_most_blocks_are_run() -> None:
    code = [one for one in ALL if one.language in RUN]
    assert len(RUN_HERE) > len(code) / 2
