"""Write docs/openapi.json from the code's own types: ``python tools/write_openapi.py``."""

import json
from pathlib import Path

from imagesearch.openapi import document

PAGE = Path(__file__).parents[1] / "docs/openapi.json"


def page() -> str:
    """Return the document's text."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}: {len(document()['paths'])} paths")
