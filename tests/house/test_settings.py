"""Every environment variable that the code reads is described."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_variable_of_ours_is_on_the_page_of_settings() -> None:
    sources = [
        *(
            file
            for room in ("layers", "functions", "local")
            for file in (ROOT / room).rglob("*.py")
        ),
        ROOT / "template.yaml",
    ]
    read = {
        name for file in sources for name in re.findall(r"IMAGESEARCH_[A-Z_]+", file.read_text())
    }
    described = set(re.findall(r"`(IMAGESEARCH_[A-Z_]+)`", (ROOT / "docs/settings.md").read_text()))
    assert read == described
