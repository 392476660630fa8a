"""The error tree's drawing is the tree."""

import re
import runpy
from pathlib import Path

import pytest
from imagesearch import errors
from imagesearch.errors import ImageSearchError


def leaves(kind: type[ImageSearchError]) -> list[type[ImageSearchError]]:
    below = [k for k in kind.__subclasses__() if k.__module__.startswith(errors.__name__)]
    return [kind, *(found for child in below for found in leaves(child))]


def drawn() -> list[tuple[int, str, int]]:
    rows = re.findall(r"^    ([│├└─ ]*)(\w+) +(\d{3})  ", errors.__doc__ or "", re.MULTILINE)
    return [(len(lead) // 4, name, int(status)) for lead, name, status in rows]


def test_the_drawing_shows_every_error_below_its_parent_with_its_status() -> None:
    depth = {
        kind: len(kind.__mro__) - len(ImageSearchError.__mro__) for kind in leaves(ImageSearchError)
    }
    assert drawn() == [
        (depth[kind], kind.__name__, kind.status) for kind in _in_drawn_order(ImageSearchError)
    ]


def _in_drawn_order(kind: type[ImageSearchError]) -> list[type[ImageSearchError]]:
    order = [name for _, name, _ in drawn()]
    below = sorted(
        (k for k in kind.__subclasses__() if k.__module__.startswith(errors.__name__)),
        key=lambda k: order.index(k.__name__) if k.__name__ in order else -1,
    )
    return [kind, *(found for child in below for found in _in_drawn_order(child))]


@pytest.mark.parametrize("kind", leaves(ImageSearchError), ids=lambda k: k.__name__)
def test_every_error_has_a_title_a_code_and_a_fix(kind: type[ImageSearchError]) -> None:
    assert kind.title().endswith(".")
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", kind.code)
    assert kind.default_fix
    assert kind.__name__ in errors.__all__


def test_the_page_of_errors_is_the_tree() -> None:
    root = Path(__file__).parents[2]
    written = runpy.run_path(str(root / "tools/write_errors.py"))["page"]()
    assert (root / "docs/errors.md").read_text() == written, "run python tools/write_errors.py"
