"""Searching on the page, as a person does it."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from imagesearch_local.demo import FOLDER
from PIL import Image

from tests.page.browser import Visit
from tests.page.conftest import PICTURES, SAMPLE, Visiting

pytestmark = pytest.mark.system


def drag(visit: Visit, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over the picture, from and to shares of its width and height."""
    box = visit.page.locator(".boxes").bounding_box()
    assert box
    mouse = visit.page.mouse
    mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    mouse.down()
    mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=5)
    mouse.up()


def region(given: dict[str, str]) -> list[int]:
    return [int(number) for number in given["region"].split(",")]


def test_a_sample_finds_its_product(visit: Visit) -> None:
    visit.sample("cap")
    assert visit.products()[0] == "scopia_237"
    first = visit.page.locator(".card").first
    text = first.inner_text()
    assert "Accessories" in text
    assert "likely the same" in text
    assert "str_attr" in text
    assert first.locator("img").get_attribute("src").startswith("blob:")  # type: ignore[union-attr]
    assert visit.chosen_box().count() == 1
    legend = visit.page.locator(".legend").inner_text()
    for stage in ("decode", "find subject", "embed", "search", "service"):
        assert stage in legend
    assert "index generation" in visit.page.locator(".headline").inner_text()
    assert visit.page.locator("h2").first.inner_text() == f"{PICTURES} pictures"


def test_a_picture_can_be_chosen_pasted_and_dropped(visit: Visit) -> None:
    visit.give(SAMPLE)
    assert visit.products()[0] == "scopia_237"
    bring = """([text, how]) => {
        const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], "a.jpg", { type: "image/jpeg" }));
        const place = how === "paste" ? document : document.querySelector(".picture-pane");
        const event = how === "paste"
            ? new ClipboardEvent("paste", { clipboardData: data })
            : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
        place.dispatchEvent(event);
    }"""
    for how, name, product in (
        ("paste", "bscc-by_069__q1.jpg", "bscc-by_069"),
        ("drop", "scopia_127__q1.jpg", "scopia_127"),
    ):
        text = base64.b64encode((FOLDER / "queries" / name).read_bytes()).decode()
        visit.searched(lambda how=how, text=text: visit.page.evaluate(bring, [text, how]))
        assert visit.products()[0] == product


def test_every_subject_is_framed_and_a_click_searches_another(visit: Visit, pair: Path) -> None:
    visit.give(pair)
    assert visit.page.locator(".box").count() == 3  # both, and each
    for place, product in ((0.2, "scopia_237"), (0.8, "bscc-by_069")):
        given = visit.searched(lambda place=place: drag(visit, (place, 0.5), (place, 0.5)))
        x1, x2 = region(given)[:2]
        assert x1 < place * 900 < x2 < x1 + 400
        assert visit.products()[0] == product
        assert visit.page.locator(".box").count() == 3
    given = visit.searched(visit.page.get_by_role("button", name="Found subject").click)
    assert "region" not in given


def test_a_frame_can_be_drawn_resized_and_moved(visit: Visit, pair: Path) -> None:
    visit.give(pair)
    drawn = region(visit.searched(lambda: drag(visit, (0.58, 0.02), (0.98, 0.98))))
    assert drawn == pytest.approx([522, 882, 8, 392], abs=6)
    assert visit.products()[0] == "bscc-by_069"
    handle = visit.chosen_box().locator(".handle.w").bounding_box()
    place = visit.page.locator(".boxes").bounding_box()
    assert handle
    assert place
    start = (handle["x"] + 6 - place["x"]) / place["width"]
    resized = region(visit.searched(lambda: drag(visit, (start, 0.5), (start + 0.1, 0.5))))
    assert resized[0] == pytest.approx(drawn[0] + 90, abs=8)
    assert resized[1:] == drawn[1:]
    moved = region(visit.searched(lambda: drag(visit, (0.85, 0.5), (0.8, 0.5))))
    assert moved[1] - moved[0] == resized[1] - resized[0]
    assert moved[0] == pytest.approx(resized[0] - 45, abs=8)


def test_the_keys_choose_move_and_resize_a_frame(visit: Visit, pair: Path) -> None:
    visit.give(pair)
    visit.page.locator('.box[aria-pressed="false"]').last.focus()
    before = region(visit.searched(lambda: visit.page.keyboard.press("Enter")))
    moved = region(visit.searched(lambda: visit.page.keyboard.press("ArrowDown")))
    assert moved[2] == before[2] + 8
    grown = region(visit.searched(lambda: visit.page.keyboard.press("Shift+ArrowUp")))
    assert grown[3] == moved[3] - 8
    assert visit.page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


def test_the_whole_picture_can_be_searched(visit: Visit) -> None:
    visit.sample("cap")
    whole = visit.page.get_by_role("button", name="Whole picture")
    assert visit.searched(whole.click)["crop"] == "false"
    assert whole.get_attribute("aria-pressed") == "true"
    assert "crop" not in visit.searched(whole.click)


def test_the_filter_builder_writes_the_expression(visit: Visit) -> None:
    visit.sample("cap")
    page = visit.page
    page.get_by_role("button", name="Add a condition").click()
    visit.searched(lambda: page.get_by_label("Value").fill("Cap"))
    assert page.get_by_label("Filter expression").input_value() == 'str_attr = "Cap"'
    assert set(visit.products()) == {"scopia_237"}
    page.get_by_role("button", name="Add a condition").click()
    second = page.locator(".filter-row").nth(1)
    second.get_by_label("Attribute").select_option("int_attr")
    second.get_by_label("Comparison").select_option("in")
    visit.searched(lambda: second.get_by_label("Value").fill("0, 1,2"))
    visit.searched(lambda: page.get_by_label("How conditions").select_option("OR"))
    expression = page.get_by_label("Filter expression").input_value()
    assert expression == 'str_attr = "Cap" OR int_attr in (0, 1, 2)'
    assert "scopia_237" in visit.products()
    assert len({*visit.products()}) > 1
    visit.searched(page.get_by_role("button", name="Remove the condition").first.click)
    assert page.get_by_label("Filter expression").input_value() == "int_attr in (0, 1, 2)"


def test_a_filter_that_cannot_be_read_is_explained(visit: Visit) -> None:
    visit.sample("cap")
    text = visit.page.get_by_label("Filter expression")
    text.fill("colour = 3")
    text.press("Enter")
    box = visit.page.get_by_role("alert")
    box.wait_for()
    assert "colour" in box.inner_text()
    visit.expect(r"status of 400")
    text.fill('str_attr = "Cap"')
    visit.searched(lambda: text.press("Enter"))
    assert set(visit.products()) == {"scopia_237"}


def test_categories_products_and_scores_narrow(visit: Visit) -> None:
    visit.sample("cap")
    page = visit.page
    facets = page.get_by_role("group", name="Categories")
    counts = [int(text) for text in facets.locator(".count").all_inner_texts()]
    assert sum(counts) == PICTURES
    given = visit.searched(facets.get_by_role("button", name="Toy").click)
    assert given["category_id"] == "20"
    assert facets.get_by_role("button", name="Toy").get_attribute("aria-pressed") == "true"
    assert len(facets.locator(".count").all_inner_texts()) == len(counts)
    visit.searched(facets.get_by_role("button", name="All categories").click)
    visit.searched(page.get_by_label("One hit per product").check)
    assert len(visit.products()) == len({*visit.products()})
    assert "products" in page.locator("h2").first.inner_text()
    given = visit.searched(lambda: page.get_by_role("slider").fill("0.5"))
    assert given["score_threshold"] == "0.5"
    assert visit.products() == ["scopia_237"]


def test_pages_can_be_turned(visit: Visit) -> None:
    visit.sample("cap")
    page = visit.page
    assert page.locator(".pager span").inner_text() == f"1–24 of {PICTURES}"
    first = visit.products()
    page.get_by_role("button", name="Next page").click()
    visit.until("document.querySelector('.card').dataset.place === '24'")
    assert len(visit.products()) == PICTURES - 24
    assert page.get_by_role("button", name="Next page").is_disabled()
    page.get_by_role("button", name="Page before").click()
    visit.until("document.querySelector('.card').dataset.place === '0'")
    assert visit.products() == first


def test_more_like_this(visit: Visit) -> None:
    visit.sample("puzzle cube")
    other = visit.products()[1]
    button = visit.page.get_by_role("button", name=f"More like this: main.jpg of {other}")
    given = visit.searched(button.click)
    assert (given["product_id"], given["pic_name"]) == (other, "main.jpg")
    assert visit.products()[0] == other
    assert "identical" in visit.page.locator(".card").first.inner_text()
    assert visit.page.locator(".canvas img").get_attribute("src").startswith("blob:")  # type: ignore[union-attr]


@pytest.mark.parametrize("words", ["red sofa", "红色沙发"])
def test_words_find_what_they_describe(visit: Visit, words: str) -> None:
    line = visit.page.get_by_label("Search by words")
    line.fill(words)
    given = visit.searched(lambda: line.press("Enter"))
    assert given["text"] == words
    assert "katorlegaz_004" in visit.products()[:3]
    assert "meaning" in visit.page.locator(".card").first.inner_text()
    assert "read words" in visit.page.locator(".legend").inner_text()
    visit.page.get_by_role("button", name="Copy as code").click()
    tab = visit.page.get_by_role("tab", name="Python")
    tab.click()
    code = visit.page.get_by_role("tabpanel").inner_text()
    answer = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert answer.splitlines()[0].startswith(visit.products()[0])


def test_the_snippets_do_the_same_search(visiting: Visiting, tmp_path: Path) -> None:
    visit = visiting(permissions=["clipboard-read", "clipboard-write"])
    visit.give(SAMPLE)
    page = visit.page
    (tmp_path / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    page.get_by_role("button", name="Copy as code").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy", exact=True).click()
    dialog.get_by_text("Copied").wait_for()
    curl = page.evaluate("navigator.clipboard.readText()")
    answer = subprocess.check_output(["bash", "-c", curl], cwd=tmp_path, text=True)
    assert '"product_id":"scopia_237"' in answer
    dialog.get_by_role("tab", name="Python").click()
    code = dialog.get_by_role("tabpanel").inner_text()
    answer = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, text=True)
    assert answer.startswith("scopia_237 ")
    dialog.get_by_role("tab", name="Alibaba SDK").click()
    code = dialog.get_by_role("tabpanel").inner_text()
    compile(code, "snippet", "exec")
    assert "SearchImageByPicRequest" in code
    dialog.get_by_role("button", name="Close").click()
    assert page.get_by_role("dialog").count() == 0


def test_a_picture_no_browser_shows_is_searched_all_the_same(visit: Visit, tmp_path: Path) -> None:
    Image.open(SAMPLE).save(tmp_path / "cap.tiff")
    visit.give(tmp_path / "cap.tiff")
    assert visit.products()[0] == "scopia_237"
    visit.page.get_by_text("The browser cannot show this picture").wait_for()


def test_a_picture_too_large_for_a_request_is_scaled_down(visit: Visit, tmp_path: Path) -> None:
    large = Image.effect_noise((1750, 1750), 90).convert("RGB")
    large.paste(Image.open(SAMPLE).resize((1200, 1200)), (200, 200))
    large.save(tmp_path / "large.png")
    assert (tmp_path / "large.png").stat().st_size > 4_200_000
    visit.give(tmp_path / "large.png")
    assert visit.products()[0] == "scopia_237"


def test_what_is_no_picture_is_refused_in_words(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"not a picture")
    visit.page.locator(".picture-pane input[type=file]").set_input_files(tmp_path / "a.jpg")
    box = visit.page.get_by_role("alert")
    box.wait_for()
    assert "UnsupportedPicFormat" in box.inner_text()
    visit.expect(r"status of 400")
    visit.page.get_by_role("button", name="Remove the picture").click()
    visit.page.get_by_text("Drop or paste a picture here").wait_for()
