"""Write docs/errors.md from the error tree: ``python tools/write_errors.py``."""

from pathlib import Path

from imagesearch import errors
from imagesearch.errors import ImageSearchError

PAGE = Path(__file__).parents[1] / "docs/errors.md"

HEAD = """# Errors

Written by `python tools/write_errors.py` from `imagesearch/errors/`; do not edit by hand.

Each failure is answered as `application/problem+json` with the status and `code` below.
`detail` names the field, the limit and the value seen; `fix` says what to do. A code in italics
gets its last part from the field. The [Python client](../client/README.md#what-can-go-wrong) has an
exception of the same name for each.

| Code | Status | What happened | What to do |
|---|---|---|---|
"""

PATTERNS = {
    "MissingField": "*NoSpecified…*, MissingField",
    "InvalidField": "*Invalid…*, InvalidField",
}


def below(kind: type[ImageSearchError]) -> list[type[ImageSearchError]]:
    """Return an error and all that derive from it, in the order they are written."""
    ours = [k for k in kind.__subclasses__() if k.__module__.startswith(errors.__name__)]
    return [kind, *(found for child in ours for found in below(child))]


def page() -> str:
    """Return the page's text."""
    rows = {
        f"| {PATTERNS.get(kind.code, kind.code)} | {kind.status} | {kind.title()} "
        f"| {kind.default_fix} |\n": None
        for kind in below(ImageSearchError)
    }
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}: {page().count(chr(10))} lines")
