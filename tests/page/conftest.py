"""A running service with part of the demo catalogue, and browsers that look at it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from imagesearch_local.demo import FOLDER
from PIL import Image

from tests.page.browser import DESKTOP, ROOT, Visit, chromium, opened
from tests.running import Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PICTURES = 40
KEPT = ("scopia_237", "bscc-by_069", "scopia_127", "bscc-by_103", "scopia_128", "katorlegaz_004")
SAMPLE = ROOT / "layers/imagesearch/imagesearch/page/files/sample-cap.jpg"

Visiting = Callable[..., Visit]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose instance ``demo`` has pictures of the demo catalogue."""
    if not chromium():
        pytest.skip("there is no Chromium here (tools/page/setup.sh installs it)")
    running = Service(tmp_path_factory.mktemp("page"))
    running.start()
    try:
        _fill(running)
        yield running
    finally:
        running.stop()


def _fill(service: Service) -> None:
    lines = (FOLDER / "catalog.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    # What the samples show is kept, so that they find it.
    found.sort(key=lambda one: one["product_id"] not in KEPT)
    with service.client() as client, ThreadPoolExecutor(4) as pool:
        client.put("/v1/instances/demo", json={"service": "product"}).raise_for_status()

        def add(number: int, one: dict[str, Any]) -> None:
            given = {name: one[name] for name in ("product_id", "pic_name", "str_attr")}
            client.post(
                "/v1/instances/demo/pictures",
                params={**given, "category_id": one["category_id"], "int_attr": number},
                content=(FOLDER / one["file"]).read_bytes(),
                headers={"content-type": "image/jpeg"},
            ).raise_for_status()

        list(pool.map(add, range(PICTURES), found[:PICTURES]))


@pytest.fixture(scope="session")
def browser(service: Service) -> Iterator[Browser]:  # noqa: ARG001  skips without one
    pytest.importorskip("playwright")
    with opened() as running:
        yield running


@pytest.fixture
def visiting(service: Service, browser: Browser) -> Iterator[Visiting]:
    """Begin visits, each with a browser profile of its own; complaints fail the test."""
    visits: list[Visit] = []

    def begin(view: str | None = "search", **options: Any) -> Visit:
        options = {"viewport": DESKTOP, "locale": "en-GB", "reduced_motion": "reduce", **options}
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        visit = Visit(context.new_page(), service.url)
        visits.append(visit)
        if view:
            visit.go(view)
        return visit

    yield begin
    for visit in visits:
        visit.page.context.close()
    assert [visit.complaints for visit in visits if visit.complaints] == []


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    return visiting()


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A picture with a cap on its left and a puzzle cube on its right."""
    both = Image.new("RGB", (900, 400), "white")
    for left, name in ((0, "scopia_237"), (550, "bscc-by_069")):
        one = Image.open(FOLDER / f"catalog/{name}__main.jpg").resize((350, 350))
        both.paste(one, (left, 25))
    both.save(tmp_path / "pair.jpg", quality=95)
    return tmp_path / "pair.jpg"
