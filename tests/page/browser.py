"""A person at the page: a browser that notes everything it would complain about."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / ".build" / "page"
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
VIEWS = ("search", "add", "tasks", "instances")

_WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


def chromium() -> str | None:
    """Return the path of a browser of the system, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@contextmanager
def opened() -> Iterator[Browser]:
    """Run the system's browser without a window."""
    from playwright.sync_api import sync_playwright

    # Chromium's own sandbox does not work for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield browser
        browser.close()


@dataclass
class Visit:
    """One person's visit. ``complaints`` are errors of scripts, the console and the policy."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(_WATCH)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("console", self._note)
        self.page.on("request", self._check)

    def _note(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console: {message.text}")

    def _check(self, request: Any) -> None:
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.complaints.append(f"asked elsewhere: {request.url}")

    def expect(self, *patterns: str) -> None:
        """Take complaints of these kinds as meant."""
        fits = re.compile("|".join(patterns))
        assert any(fits.search(one) for one in self.complaints), self.complaints
        self.complaints[:] = [one for one in self.complaints if not fits.search(one)]

    def go(self, view: str = "search") -> None:
        self.page.goto(f"{self.url}/#/{view}")
        self.page.wait_for_selector(f'nav a[aria-current="page"][href="#/{view}"]')

    def sample(self, name: str) -> None:
        """Search with one of the samples and wait for what is found."""
        self.page.get_by_role("button", name=f"Search with the sample: {name}").click()
        self.found()

    def give(self, *files: Path) -> None:
        """Choose a picture to search with."""
        self.page.locator(".picture-pane input[type=file]").set_input_files(list(files))
        self.found()

    def found(self) -> None:
        """Wait until a search has ended and its thumbnails are there."""
        self.page.wait_for_selector('.results[data-busy="false"] .summary')
        self.until(
            "[...document.querySelectorAll('.shot')].every("
            "(shot) => 'ready' in shot.dataset && (shot.querySelector('img')?.complete ?? true))"
        )

    def until(self, condition: str, seconds: float = 20) -> None:
        """Wait for a condition in JavaScript; the policy forbids Playwright's own way."""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, condition
            self.page.wait_for_timeout(20)

    def searched(self, act: Any) -> dict[str, str]:
        """Do something that searches; return the fields of the request it sends."""
        with self.page.expect_response(lambda r: r.url.split("?")[0].endswith("/search")) as sent:
            act()
        self.found()
        request = sent.value.request
        given = dict(parse_qsl(urlsplit(request.url).query))
        if "json" in request.headers.get("content-type", ""):
            given |= {name: str(value) for name, value in request.post_data_json.items()}
        return given

    def products(self) -> list[str]:
        return self.page.locator(".card h3").all_inner_texts()

    def chosen_box(self) -> Locator:
        return self.page.locator('.box[aria-pressed="true"]')

    def violations(self) -> list[str]:
        """Return what axe-core finds wrong with the page as it is now."""
        self.page.evaluate(AXE.read_text("utf-8"))
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = self.page.evaluate("(tags) => axe.run(document, { runOnly: tags })", rules)
        return [
            f"{one['id']}: {one['help']} {[node['html'][:160] for node in one['nodes'][:3]]}"
            for one in found["violations"]
        ]

    def shoot(self, name: str) -> None:
        """Keep what is on the screen."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")
