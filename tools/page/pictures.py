"""Take the pictures of the page that the documentation shows, from a demo service of their own.

Run from the project's root: ``python -m tools.page.pictures``. It needs Chromium
(``tools/page/setup.sh``) and writes ``docs/images``.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from tests.page.browser import DESKTOP, ROOT, Visit, opened
from tests.running import Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES = ROOT / "docs" / "images"
SCALE = 1.5
LARGEST = 150_000


def search(visit: Visit) -> None:
    """Search with the sample of a cap."""
    visit.sample("cap")


def why(visit: Visit) -> None:
    """Search, dislike a hit, and ask why another was found."""
    visit.sample("cap")
    cards = visit.page.locator(".card")
    visit.searched(cards.nth(2).get_by_role("button", name="Not like this").click)
    cards.first.get_by_role("button", name="Why?").click()
    cards.first.locator(".heat").wait_for()


SHOWN: dict[str, Callable[[Visit], None]] = {"page": search, "why": why}


def taken(browser: Browser, url: str, act: Callable[[Visit], None]) -> bytes:
    """Return what a visitor sees after ``act``, as PNG."""
    context = browser.new_context(
        viewport=DESKTOP, device_scale_factor=SCALE, locale="en-GB", reduced_motion="reduce"
    )
    visit = Visit(context.new_page(), url)
    visit.go()
    act(visit)
    visit.page.mouse.move(0, 0)
    visit.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    shot = visit.page.screenshot()
    context.close()
    if visit.complaints:
        raise SystemExit("\n".join(visit.complaints))
    return shot


def small(png: bytes) -> bytes:
    """Return a picture as WebP of no more than LARGEST bytes, as good as that allows."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in range(90, 10, -5):
        written = io.BytesIO()
        image.save(written, "WEBP", quality=quality, method=6)
        if written.tell() <= LARGEST:
            return written.getvalue()
    raise SystemExit(f"no quality keeps the picture within {LARGEST} bytes")


def main() -> None:
    """Run the demo, visit it, and keep what was seen."""
    with tempfile.TemporaryDirectory() as folder, opened() as browser:
        service = Service(Path(folder))
        service.start("--demo")
        try:
            taken(browser, service.url, why)  # a first visit would show the times of a cold start
            for name, act in SHOWN.items():
                picture = small(taken(browser, service.url, act))
                (IMAGES / f"{name}.webp").write_bytes(picture)
                sys.stdout.write(f"docs/images/{name}.webp: {len(picture)} bytes\n")
        finally:
            service.stop()


if __name__ == "__main__":
    main()
