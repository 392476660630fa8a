"""Adding, following tasks, and looking after instances on the page."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from imagesearch_local.demo import FOLDER
from imagesearch_local.folder import DataFolder

from tests.page.browser import Visit
from tests.page.conftest import Visiting
from tests.pictures import as_bytes, drawn
from tests.running import Service

pytestmark = pytest.mark.system

BUCKET = "imagesearch-local-000000000000-us-east-1"


@pytest.fixture
def s3(service: Service) -> Any:
    """The object store of the service."""
    remembered = DataFolder(service.data).remembered()
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{remembered.storage_ports['s3']}",
        region_name="us-east-1",
        aws_access_key_id=remembered.access_key,
        aws_secret_access_key=remembered.secret_key,
    )


@pytest.fixture
def instance(visit: Visit, request: pytest.FixtureRequest, service: Service) -> Iterator[str]:
    """An instance that was made on the page, and is in use there."""
    name = f"p-{abs(hash(request.node.name)) % 10**8}"
    visit.go("instances")
    visit.page.get_by_label("Name").fill(name)
    visit.page.get_by_role("button", name="Create").click()
    visit.page.get_by_text(f"{name} is ready.").wait_for()
    yield name
    with service.client() as client:
        client.delete(f"/v1/instances/{name}", params={"confirm": name})


def test_an_own_folder_is_added_and_found(visit: Visit, instance: str, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    for product, name in (("cap", "scopia_237"), ("cube", "bscc-by_069"), ("cake", "scopia_128")):
        (folder / product).mkdir(parents=True)
        image = (FOLDER / f"catalog/{name}__main.jpg").read_bytes()
        (folder / product / "front.jpg").write_bytes(image)
    (folder / "notes.txt").write_text("no picture, left out")
    (folder / "cap" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more than a start")
    visit.go("add")
    page = visit.page
    page.get_by_label("str_attr").fill("from the page")
    page.get_by_label("Choose a folder").set_input_files(folder)
    page.get_by_text("3 of 4 added").wait_for()
    page.get_by_text("1 failed").wait_for()
    assert "Finished" in page.locator(".split").inner_text()
    lines = page.locator(".upload").all_inner_texts()
    assert len(lines) == 4
    assert "broken.jpg" in lines[0]
    assert "damaged" in lines[0]
    visit.expect("status of 400")
    (folder / "cap" / "broken.jpg").unlink()
    visit.go("search")
    visit.sample("cap")
    assert visit.products()[0] == "cap"
    assert "from the page" in page.locator(".card").first.inner_text()
    visit.go("instances")
    figures = page.get_by_role("article", name=instance).inner_text()
    assert "Pictures\n3" in figures
    assert "Products\n3" in figures


@pytest.mark.usefixtures("instance")
def test_pictures_chosen_singly_are_products_of_their_own(visit: Visit, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"thing {number}.png").write_bytes(as_bytes(drawn(number), "PNG"))
    visit.go("add")
    page = visit.page
    page.get_by_label("Category").select_option("20")
    page.get_by_label("Choose pictures").set_input_files(sorted(tmp_path.glob("*.png")))
    page.get_by_text("6 of 6 added").wait_for()
    assert page.locator(".upload.done").count() == 6
    assert "Toy" in page.locator(".upload").first.inner_text()
    page.get_by_label("If it is there already").select_option("fail")
    with page.expect_console_message(lambda message: "409" in message.text):
        page.get_by_label("Choose pictures").set_input_files(tmp_path / "thing 3.png")
    page.get_by_text("is indexed already").wait_for()
    visit.expect("status of 409")
    # The refusal of before stands there until the next one comes.
    with page.expect_console_message(lambda message: "409" in message.text):
        page.get_by_role("button", name="Try these again").click()
    page.get_by_text("is indexed already").wait_for()
    visit.expect("status of 409")


def test_a_task_is_checked_started_and_followed(visit: Visit, instance: str, s3: Any) -> None:
    lines = []
    for number in range(12):
        s3.put_object(
            Bucket=BUCKET, Key=f"imports/{instance}/{number}.jpg", Body=as_bytes(drawn(number))
        )
        lines.append({"ProductId": f"p{number}", "PicName": f"{number}.jpg"})
    lines.append({"ProductId": "lost", "PicName": "lost.jpg"})
    lines = [{"OperationType": "ADD", **line} for line in lines]
    meta = "".join(json.dumps(line) + "\n" for line in lines).encode()
    visit.go("tasks")
    page = visit.page
    page.get_by_label("Bucket").fill(BUCKET)
    page.get_by_label("Folder").fill(f"/imports/{instance}")
    page.get_by_role("button", name="Check only").click()
    page.locator(".causes").wait_for()
    assert "increment.meta" in page.locator(".causes").inner_text()
    s3.upload_fileobj(io.BytesIO(meta), BUCKET, f"imports/{instance}/increment.meta")
    page.get_by_role("button", name="Check only").click()
    page.get_by_text("Nothing stands in its way.").wait_for()
    page.get_by_role("button", name="Start").click()
    page.get_by_text("is queued.").wait_for()
    task = page.locator(".task").first
    task.locator(".badge", has_text="done").wait_for(timeout=60_000)
    text = task.inner_text()
    assert "13 / 13" in text
    assert "Lines that failed: 1" in text
    task.locator("summary").click()
    assert "lost.jpg" in task.inner_text()
    assert task.get_by_role("link", name="All failures").get_attribute("href")


def test_a_bad_name_for_an_instance_is_refused(visit: Visit) -> None:
    visit.go("instances")
    name = visit.page.get_by_label("Name")
    name.fill("Shop!")
    visit.page.get_by_role("button", name="Create").click()
    assert name.evaluate("(input) => !input.checkValidity()")


def test_a_name_that_is_taken_for_another_service_is_explained(visit: Visit) -> None:
    visit.go("instances")
    visit.page.get_by_label("Name").fill("demo")
    visit.page.get_by_label("Service").select_option("fabric")
    visit.page.get_by_role("button", name="Create").click()
    box = visit.page.get_by_role("alert")
    box.wait_for()
    assert "is a product instance" in box.inner_text()
    visit.expect("status of 409")


def test_fabric_is_searched_whole(visiting: Visiting, service: Service) -> None:
    with service.client() as client:
        client.put("/v1/instances/cloth", json={"service": "fabric"}).raise_for_status()
        try:
            named = {"product_id": "f1", "pic_name": "a"}
            client.post(
                "/v1/instances/cloth/pictures",
                params=named,
                content=as_bytes(drawn(5)),
                headers={"content-type": "image/jpeg"},
            ).raise_for_status()
            visit = visiting()
            visit.page.get_by_label("Instance", exact=True).select_option("cloth")
            visit.sample("cap")
            assert visit.page.locator(".box").count() == 0
            assert not visit.page.get_by_label("Category").is_visible()
            assert visit.products() == ["f1"]
        finally:
            client.delete("/v1/instances/cloth", params={"confirm": "cloth"})
