"""What holds for every view: both languages, light and dark, phones, keys, and nobody left out."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.page.browser import AXE, DESKTOP, PHONE, VIEWS, Visit
from tests.page.conftest import Visiting

pytestmark = pytest.mark.system

needs_axe = pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not there (tools/page/setup.sh installs it)"
)


def filled(visit: Visit, view: str) -> None:
    """Show a view with something in it."""
    visit.go(view)
    if view == "search":
        visit.page.locator(".sample").nth(2).click()
        visit.found()


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_view_is_accessible_and_fits(
    visiting: Visiting, scheme: str, size: dict[str, int]
) -> None:
    visit = visiting(None, color_scheme=scheme, viewport=size)
    name = "phone" if size is PHONE else "desktop"
    for view in VIEWS:
        filled(visit, view)
        visit.shoot(f"{view}-{name}-{scheme}")
        if size is DESKTOP or scheme == "light":  # the colours are the same on a phone
            assert visit.violations() == [], view
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view


@needs_axe
def test_what_opens_is_accessible_too(visiting: Visiting) -> None:
    visit = visiting()
    assert visit.violations() == []
    visit.sample("cap")
    visit.page.get_by_role("button", name="Add a condition").click()
    assert visit.violations() == []
    visit.page.get_by_role("button", name="Copy as code").click()
    assert visit.violations() == []
    visit.shoot("snippets-desktop-light")


def test_the_page_speaks_chinese(visiting: Visiting) -> None:
    visit = visiting(locale="zh-CN")
    page = visit.page
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    page.locator(".sample").nth(2).click()
    visit.found()
    assert "配饰" in page.locator(".card").first.inner_text()
    visit.shoot("search-desktop-chinese")
    page.get_by_role("button", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert "Accessories" in page.locator(".card").first.inner_text()
    page.reload()
    page.get_by_role("button", name="Choose a picture").or_(page.get_by_text("Choose a picture"))
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_no_word_is_missing(visiting: Visiting, locale: str) -> None:
    visit = visiting(None, locale=locale)
    for view in VIEWS:
        filled(visit, view)
        text = visit.page.locator("body").inner_text()
        assert not re.search(r"\b(nav|results|refine|add|tasks|instances|picture)\.\w", text)
        assert "{" not in text


def test_light_and_dark_follow_the_system_until_one_is_chosen(visiting: Visiting) -> None:
    visit = visiting(color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = visit.page.evaluate(ground)
    visit.page.emulate_media(color_scheme="light")
    light = visit.page.evaluate(ground)
    assert light != dark
    visit.page.get_by_role("button", name="Switch to dark").click()
    assert visit.page.evaluate(ground) == dark
    visit.page.reload()
    visit.page.get_by_role("button", name="Switch to light").wait_for()
    assert visit.page.evaluate(ground) == dark


def test_everything_can_be_reached_by_the_keyboard(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "sample":
            break
    page.keyboard.press("Enter")
    visit.found()
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.className"))
    assert {"box", "expression", "chip", "button small alike"} <= seen


def test_what_is_found_is_said(visit: Visit) -> None:
    visit.sample("cap")
    assert visit.page.locator("#said").inner_text() == "40 found"


def asks_for_a_key(visit: Visit, *, read_only: bool = False) -> list[str | None]:
    """Let the API ask for the key as API Gateway does; return the keys that were sent."""
    sent: list[str | None] = []

    def answer(route: Any) -> None:
        key = route.request.headers.get("x-api-key")
        sent.append(key)
        if key == "good" and not (read_only and route.request.method == "PUT"):
            route.continue_()
        else:
            status = 403 if key else 401
            body = {"message": "Forbidden" if key else "Unauthorized"}
            kind = {"content-type": "application/json"}
            route.fulfill(status=status, body=json.dumps(body), headers=kind)

    visit.page.route("**/v1/**", answer)
    return sent


def test_a_key_is_asked_for_and_kept_in_memory_only(visiting: Visiting) -> None:
    visit = visiting(None)
    sent = asks_for_a_key(visit)
    page = visit.page
    page.goto(f"{visit.url}/")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    if AXE.exists():
        assert visit.violations() == []
    visit.shoot("key-desktop-light")
    page.keyboard.press("Escape")
    dialog.get_by_label("Key").fill("bad")
    dialog.get_by_role("button", name="Use this key").click()
    page.get_by_text("That key may not do this").wait_for()
    page.get_by_role("dialog").get_by_label("Key").fill("good")
    page.keyboard.press("Enter")
    visit.sample("cap")
    assert sent[:3] == [None, "bad", "good"]
    assert set(sent[3:]) == {"good"}
    assert page.locator(".card img").count() == 24
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert "good" not in kept
    page.reload()
    page.get_by_role("dialog").wait_for()
    visit.expect("status of 40[13]")


def test_a_key_that_only_reads_can_be_kept(visiting: Visiting) -> None:
    visit = visiting(None)
    asks_for_a_key(visit, read_only=True)
    page = visit.page
    page.goto(f"{visit.url}/#/instances")
    page.get_by_role("dialog").get_by_label("Key").fill("good")
    page.keyboard.press("Enter")
    page.get_by_role("article", name="demo").wait_for()
    page.get_by_label("Name").fill("mine")
    page.get_by_role("button", name="Create").click()
    page.get_by_text("That key may not do this").wait_for()
    page.get_by_role("button", name="Cancel").click()
    box = page.get_by_role("alert")
    box.wait_for()
    assert "Forbidden" in box.inner_text()
    assert page.get_by_role("dialog").count() == 0
    visit.expect("status of 40[13]")


def test_a_key_of_other_instances_is_not_asked_for_again(visiting: Visiting) -> None:
    visit = visiting(None)
    page = visit.page
    said = {"code": "NoPermission", "detail": "the key may be used for demo, not for mine."}

    def answer(route: Any) -> None:
        if route.request.method == "PUT":
            route.fulfill(status=403, json=said)
        else:
            route.continue_()

    page.route("**/v1/**", answer)
    page.goto(f"{visit.url}/#/instances")
    page.get_by_label("Name").fill("mine")
    page.get_by_role("button", name="Create").click()
    box = page.get_by_role("alert")
    box.wait_for()
    assert "may be used for demo" in box.inner_text()
    assert page.get_by_role("dialog").count() == 0
    visit.expect("status of 403")


def test_signed_requests_are_explained(visiting: Visiting) -> None:
    visit = visiting(None)
    asks_for_a_key(visit)

    def signed(route: Any) -> None:
        answer = route.fetch()
        text = answer.text().replace('data-authorization="none"', 'data-authorization="iam"')
        text = re.sub(r'data-authorization="\w+"', 'data-authorization="iam"', text)
        route.fulfill(response=answer, body=text)

    visit.page.route(f"{visit.url}/", signed)
    visit.page.goto(f"{visit.url}/")
    visit.page.get_by_text("Authorization=keys").wait_for()
    visit.expect("status of 401")


def test_a_service_that_is_gone_is_explained(visiting: Visiting) -> None:
    visit = visiting()
    visit.page.route("**/v1/**", lambda route: route.abort())
    visit.page.locator(".sample").first.click()
    visit.page.get_by_text("The service cannot be reached.").wait_for()
    visit.expect("ERR_FAILED")


def test_names_with_markup_are_shown_as_text(visit: Visit) -> None:
    def answer(route: Any) -> None:
        found = route.fetch().json()
        found["hits"][0] |= {"product_id": "<img src=x onerror=alert(1)>", "pic_name": "<b>&amp;"}
        route.fulfill(json=found)

    visit.page.route("**/search?**", answer)
    visit.sample("cap")
    assert visit.products()[0] == "<img src=x onerror=alert(1)>"
    assert visit.page.locator(".card b").count() == 0


def test_a_second_visit_asks_for_the_document_only(visiting: Visiting) -> None:
    visit = visiting()
    files = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/page/'))"
    visit.until(f"{files}.length === 9")  # what is still on its way when a visit ends is not kept
    assert 0 not in visit.page.evaluate(f"{files}.map((one) => one.transferSize)")
    visit.page.reload()
    visit.until(f"{files}.length === 9")
    assert set(visit.page.evaluate(f"{files}.map((one) => one.transferSize)")) == {0}
