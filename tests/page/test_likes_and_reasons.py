"""Marking hits as liked and disliked, seeing why one was found, and searching every subject."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.page.browser import AXE, DESKTOP, PHONE, Visit
from tests.page.conftest import SAMPLE, Visiting

pytestmark = pytest.mark.system


def sent(visit: Visit, act: Callable[[], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Do something that searches; return the request and the answer, both JSON."""
    with visit.page.expect_response(lambda r: r.url.split("?")[0].endswith("/search")) as answer:
        act()
    visit.found()
    return answer.value.request.post_data_json, answer.value.json()


def press(visit: Visit, place: int, name: str) -> Callable[[], None]:
    button = visit.page.locator(".card").nth(place).get_by_role("button", name=name)
    return button.click


def why(visit: Visit, place: int = 0) -> str:
    """Ask why a hit was found, and wait for it; return the address that was asked."""
    with visit.page.expect_request(lambda r: "/explain" in r.url) as asked:
        press(visit, place, "Why?")()
    visit.page.locator(".card").nth(place).locator(".heat").wait_for()
    return str(asked.value.url)


def shown_code(visit: Visit, tab: str) -> str:
    visit.page.get_by_role("tab", name=tab).click()
    return visit.page.get_by_role("tabpanel").inner_text()


def test_a_dislike_and_a_like_join_the_search(visit: Visit) -> None:
    visit.give(SAMPLE)
    second = visit.products()[1:3]
    asked, answer = sent(visit, press(visit, 1, "Not like this"))
    image, disliked = asked["query"]
    assert set(image) == {"image"}
    assert disliked["weight"] == -0.25
    assert disliked["picture"]["product_id"] == second[0]
    first = visit.page.locator(".card").first
    assert f"{answer['hits'][0]['score']:.3f}" in first.inner_text()
    assert "likely the same" not in first.inner_text()
    assert "by part: " in first.inner_text()
    asked, _ = sent(visit, press(visit, 2, "This too"))
    assert [one.get("weight") for one in asked["query"]] == [None, -0.25, 1]
    chips = visit.page.get_by_role("group", name="Liked and disliked").get_by_role("listitem")
    assert chips.count() == 2
    assert visit.page.locator(".box").count() > 0  # the subjects found before stay
    visit.shoot("likes-desktop-light")


def test_a_part_of_the_picture_stays_chosen(visit: Visit, pair: Path) -> None:
    visit.give(pair)
    box = visit.page.locator('.box[aria-pressed="false"]').last
    box.focus()
    visit.searched(lambda: visit.page.keyboard.press("Enter"))
    asked, _ = sent(visit, press(visit, 1, "Not like this"))
    assert len(asked["query"][0]["region"].split(",")) == 4
    assert visit.chosen_box().count() == 1


def test_marks_are_made_and_removed_with_the_keys(visit: Visit) -> None:
    visit.give(SAMPLE)
    page = visit.page
    found = visit.products()
    for name in ("Not like this", "This too"):
        page.locator(".card").nth(3).get_by_role("button", name=name).focus()
        sent(visit, lambda: page.keyboard.press("Enter"))
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert label.startswith("No longer")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("No longer wanted too")
    sent(visit, lambda: page.keyboard.press("Enter"))
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("No longer unwanted")
    visit.searched(lambda: page.keyboard.press("Enter"))
    assert page.evaluate("document.activeElement.name") == "words"
    assert page.locator(".marked").count() == 0
    assert visit.products() == found


def test_pressed_again_a_mark_is_taken_back(visit: Visit) -> None:
    visit.give(SAMPLE)
    found = visit.products()
    sent(visit, press(visit, 0, "This too"))
    assert (visit.page.locator(".card").first.get_by_role("button", name="This too")).get_attribute(
        "aria-pressed"
    ) == "true"
    visit.searched(press(visit, 0, "This too"))
    assert visit.products() == found


def test_words_beside_a_picture_are_a_part_of_the_search(visit: Visit) -> None:
    visit.give(SAMPLE)
    line = visit.page.get_by_label("Search by words")
    line.fill("red")
    asked, answer = sent(visit, lambda: line.press("Enter"))
    assert asked["query"][1] == {"text": "red"}
    assert len(answer["hits"][0]["parts"]) == 2
    legend = visit.page.locator(".legend").inner_text()
    assert "understand the query" in legend
    assert "stage." not in legend
    assert visit.page.locator(".canvas img").count() == 1
    assert "text" not in visit.searched(lambda: line.fill(""))


def test_a_new_picture_begins_anew(visit: Visit) -> None:
    visit.give(SAMPLE)
    sent(visit, press(visit, 1, "Not like this"))
    given = visit.searched(press(visit, 0, "More like this"))
    assert "query" not in given
    assert visit.page.locator(".marked").count() == 0


def test_the_snippets_of_a_combined_search_do_it(visit: Visit, tmp_path: Path) -> None:
    visit.give(SAMPLE)
    line = visit.page.get_by_label("Search by words")
    line.fill("it's 100% \\ red")
    sent(visit, lambda: line.press("Enter"))
    _, answer = sent(visit, press(visit, 1, "Not like this"))
    best = [hit["product_id"] for hit in answer["hits"]][:10]
    (tmp_path / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    visit.page.get_by_role("button", name="Copy as code").click()
    assert visit.page.get_by_role("tab").all_inner_texts() == ["curl", "Python"]
    assert "no such call" in visit.page.get_by_role("dialog").inner_text()
    curl = shown_code(visit, "curl")
    said = subprocess.check_output(["bash", "-c", curl], cwd=tmp_path, text=True)
    hits = [part.split('"')[0] for part in said.split('"product_id":"')[1:]]
    assert hits[:10] == best
    code = shown_code(visit, "Python")
    said = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, text=True)
    assert [row.split()[0] for row in said.splitlines()][:10] == best


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_why_lays_the_cells_over_both_pictures(visiting: Visiting, scheme: str) -> None:
    visit = visiting(color_scheme=scheme)
    visit.give(SAMPLE)
    page = visit.page
    address = why(visit)
    kind = {"content-type": "image/jpeg"}
    answer = httpx.post(address, content=SAMPLE.read_bytes(), headers=kind, timeout=20).json()
    for pane, side in ((".canvas", "query"), (".card", "result")):
        cells = [share for row in answer[side]["cells"] for share in row]
        drawn = page.locator(f"{pane} .heat rect:not(.frame)")
        assert drawn.count() == 49
        opacity = [float(one.get_attribute("fill-opacity") or "") for one in drawn.all()]
        assert opacity == pytest.approx([0.75 * one / max(cells) for one in cells], abs=0.001)
        x1, x2, y1, y2 = answer[side]["region"]
        frame = page.locator(f"{pane} .heat .frame")
        given = [float(frame.get_attribute(n) or "") for n in ("x", "y", "width", "height")]
        assert given == [x1, y1, x2 - x1, y2 - y1]
    text = page.locator(".why:visible").inner_text()
    assert text.startswith("The likeness rests mostly ")
    assert page.locator("#said").inner_text() == text
    if AXE.exists():
        assert visit.violations() == []
    visit.shoot(f"why-desktop-{scheme}")
    button = page.locator(".card").first.get_by_role("button", name="Why?")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert page.locator(".heat").count() == 0
    assert page.locator(".why:visible").count() == 0


def test_the_cells_lie_on_the_picture_itself(visit: Visit) -> None:
    visit.give(SAMPLE)
    why(visit)
    image = visit.page.locator(".canvas img").bounding_box()
    assert visit.page.locator(".canvas .heat").bounding_box() == pytest.approx(image, abs=1)


def test_only_one_hit_is_explained_and_a_new_search_forgets_it(visit: Visit) -> None:
    visit.give(SAMPLE)
    why(visit, 0)
    why(visit, 2)
    assert visit.page.locator(".card .heat").count() == 1
    assert visit.page.locator(".card").nth(2).locator(".heat").count() == 1
    visit.searched(visit.page.get_by_role("button", name="Whole picture").click)
    assert visit.page.locator(".heat").count() == 0


def test_without_a_picture_of_yours_there_is_no_why(visit: Visit) -> None:
    visit.give(SAMPLE)
    visit.searched(press(visit, 1, "More like this"))
    assert visit.page.get_by_role("button", name="Why?").count() == 0


def test_every_subject_is_searched_and_grouped(visit: Visit, pair: Path, tmp_path: Path) -> None:
    visit.give(pair)
    switch = visit.page.get_by_role("button", name="Search every subject")
    given = visit.searched(switch.click)
    assert given["regions"] == "all"
    assert switch.get_attribute("aria-pressed") == "true"
    groups = visit.page.locator("section.subject")
    assert groups.count() > 1
    firsts = {group.locator(".card h3").first.inner_text() for group in groups.all()}
    assert {"scopia_237", "bscc-by_069"} <= firsts
    last = groups.last.locator(".card").first
    with visit.page.expect_request(lambda r: "/explain" in r.url) as asked:
        last.get_by_role("button", name="Why?").click()
    assert "region=" in asked.value.url
    last.locator(".heat").wait_for()
    if AXE.exists():
        assert visit.violations() == []
    visit.shoot("subjects-desktop-light")
    visit.page.get_by_role("button", name="Copy as code").click()
    said = subprocess.check_output(
        [sys.executable, "-c", shown_code(visit, "Python")], cwd=tmp_path, text=True
    )
    assert "scopia_237" in said
    assert "bscc-by_069" in said
    visit.page.get_by_role("button", name="Close").click()
    assert "regions" not in visit.searched(switch.click)


def test_one_subject_offers_no_search_for_every(visit: Visit) -> None:
    visit.give(SAMPLE)
    assert visit.page.locator(".box").count() == 1
    assert visit.page.get_by_role("button", name="Search every subject").count() == 0


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_it_fits_in_both_languages(visiting: Visiting, size: dict[str, int], locale: str) -> None:
    visit = visiting(viewport=size, locale=locale)
    visit.give(SAMPLE)
    page = visit.page
    sent(visit, lambda: page.locator(".card").nth(1).locator(".card-acts button").nth(3).click())
    page.locator(".card").first.locator(".card-acts button").nth(1).click()
    page.locator(".card .heat").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if AXE.exists():
        assert visit.violations() == []
    page.locator(".marks").scroll_into_view_if_needed()
    visit.shoot(f"likes-{'phone' if size is PHONE else 'desktop'}-{locale[:2]}")
