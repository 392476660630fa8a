"""Imports: what is listed, what is sent, what is left for the next run."""

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from imagesearch_client import (
    AsyncClient,
    Client,
    Journal,
    Listing,
    Retries,
    Summary,
    UnusableSource,
    read_source,
)
from imagesearch_local.demo import DEMO, FOLDER, QUERY, load_demo

from tests.local.fake_api import FakeApi, instance

QUICK = Retries(attempts=2, first_pause=0, longest_pause=0)


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    api.instances["i"] = instance("i")
    return api


@pytest.fixture
def client(api: FakeApi) -> Client:
    return Client("http://fake", transport=api.transport(), retries=QUICK)


def manifest(folder: Path, *lines: dict[str, Any] | str) -> Path:
    path = folder / "m.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts))
    return path


def pictures(folder: Path, *names: str) -> list[dict[str, Any]]:
    lines = []
    for name in names:
        (folder / name).write_bytes(name.encode())
        lines.append({"product_id": f"p-{name}", "pic_name": "main", "file": name})
    return lines


def run(client: Client, source: Path, journal: Path, instance: str = "i") -> Summary:
    return client.import_folder(instance, source, journal=journal, workers=3)


def test_a_folder_names_products_by_its_folders(tmp_path: Path) -> None:
    for name in ("a/b/one.jpg", "a/two.PNG", "three.webp", "a/notes.txt", ".hidden/x.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    keys = {item.key for item in read_source(tmp_path).items}
    assert keys == {("a_b", "one.jpg"), ("a", "two.PNG"), ("three", "three.webp")}


def test_a_manifest_gives_fields_and_counts_those_not_used(tmp_path: Path) -> None:
    line = {"product_id": "p", "pic_name": "n", "file": "x.jpg", "int_attr2": 5, "label": "L"}
    listing = read_source(manifest(tmp_path, line, "", {**line, "pic_name": "m", "region": None}))
    assert listing.unused == {"label": 2}
    first, second = listing.items
    assert first.file == tmp_path / "x.jpg"
    assert first.fields == {"product_id": "p", "pic_name": "n", "int_attr2": 5}
    assert second.fields == {"product_id": "p", "pic_name": "m", "int_attr2": 5}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ({"product_id": "p", "file": "x"}, "pic_name is missing"),
        ({}, "product_id, pic_name, file is missing"),
    ],
)
def test_a_bad_line_is_a_problem_of_that_line(
    tmp_path: Path, line: dict[str, Any] | str, says: str
) -> None:
    good = {"product_id": "p", "pic_name": "n", "file": "x.jpg"}
    bad, other = read_source(manifest(tmp_path, line, good)).items
    assert (bad.origin, other.problem) == ("line 1", "")
    assert says in bad.problem


def test_a_key_given_twice_is_a_problem_of_the_second(tmp_path: Path) -> None:
    line = {"product_id": "p", "pic_name": "n", "file": "x.jpg"}
    first, second = read_source(manifest(tmp_path, line, line)).items
    assert not first.problem
    assert "line 1" in second.problem


def test_a_source_with_nothing_in_it_is_refused(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "none", manifest(tmp_path, "")):
        with pytest.raises(UnusableSource):
            read_source(source)


def test_a_second_run_sends_only_what_is_new_changed_or_failed(
    tmp_path: Path, client: Client, api: FakeApi
) -> None:
    lines = pictures(tmp_path, "a", "b", "bad", "c")
    source, journal = manifest(tmp_path, *lines), tmp_path / "journal"
    first = run(client, source, journal)
    assert (first.total, first.added, first.known) == (4, 3, 0)
    assert [(f.origin, f.code) for f in first.failures] == [("line 3", "UnsupportedPicFormat")]

    (tmp_path / "b").write_bytes(b"another")
    lines[3]["int_attr"] = 7
    manifest(tmp_path, *lines, *pictures(tmp_path, "d"))
    api.requests.clear()
    second = run(client, source, journal)
    assert (second.total, second.added, second.known, len(second.failures)) == (5, 3, 1, 1)
    sent = {json.loads(request.content)["product_id"] for request in api.requests}
    assert sent == {"p-b", "p-bad", "p-c", "p-d"}


def test_files_that_cannot_be_read_are_told(tmp_path: Path, client: Client) -> None:
    line = {"product_id": "p", "pic_name": "n", "file": "missing.jpg"}
    summary = run(client, manifest(tmp_path, line, "{"), tmp_path / "journal")
    assert [failure.code for failure in summary.failures] == ["Unusable", "Unusable"]
    assert "missing.jpg" in summary.failures[0].detail


def test_an_import_stops_when_the_server_is_gone_and_goes_on_later(
    tmp_path: Path, client: Client, api: FakeApi
) -> None:
    source = manifest(tmp_path, *pictures(tmp_path, *(f"f{n}" for n in range(50))))
    healthy = api.answer
    served = 0

    def dying(request: httpx.Request) -> httpx.Response:
        nonlocal served
        served += 1
        if served > 20:
            raise httpx.ConnectError("refused")
        return healthy(request)

    with Client("http://fake", transport=httpx.MockTransport(dying), retries=QUICK) as failing:
        first = run(failing, source, tmp_path / "journal")
    assert "does not answer" in first.stopped
    assert 0 < first.added <= 20
    second = run(client, source, tmp_path / "journal")
    assert (second.added, second.known) == (50 - first.added, first.added)
    assert len(api.pictures) == 50


def test_an_import_stops_when_all_would_be_refused(
    tmp_path: Path, client: Client, api: FakeApi
) -> None:
    source = manifest(tmp_path, *pictures(tmp_path, *(f"f{n}" for n in range(50))))
    summary = run(client, source, tmp_path / "journal", instance="unknown")
    assert "unknown" in summary.stopped
    assert len(api.requests) < 50


def test_an_unforeseen_failure_is_not_swallowed(tmp_path: Path, client: Client) -> None:
    class Broken(Journal):
        def add(self, key: tuple[str, str], fingerprint: str) -> None:
            raise OSError(f"disk full at {key} {fingerprint}")

    source = manifest(tmp_path, *pictures(tmp_path, "a"))
    with pytest.raises(OSError, match="disk full"):
        client.import_folder("i", source, journal=Broken(tmp_path / "journal"))


def test_a_journal_survives_a_torn_line_and_many_threads(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        threads = [
            threading.Thread(target=journal.add, args=((f"p{n}", "ü\n"), "f")) for n in range(50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with (tmp_path / "j").open("a") as file:
        file.write('\n["p99", "n", "f')
    with Journal(tmp_path / "j") as journal:
        journal.add(("p98", "n"), "f")
    with Journal(tmp_path / "j") as journal:
        assert all((f"p{n}", "ü\n", "f") in journal for n in range(50))
        assert ("p98", "n", "f") in journal
        assert ("p99", "n", "f") not in journal


def test_the_demo_is_loaded_once(tmp_path: Path, client: Client, api: FakeApi) -> None:
    seen: list[int] = []

    def progress(summary: Summary) -> None:
        seen.append(summary.added + summary.known)

    assert load_demo(client, tmp_path, progress).added == 96
    assert seen == list(range(1, 97))
    assert load_demo(client, tmp_path, progress).known == 96
    assert len({product for _, product, _ in api.pictures}) == 76
    client.delete_instance(DEMO)
    assert load_demo(client, tmp_path, progress).added == 96


def test_the_demo_resumes(tmp_path: Path, client: Client) -> None:
    listing = read_source(FOLDER / "catalog.jsonl")
    created = client.create_instance(DEMO, "product").created
    journal = Journal.of_import(tmp_path, DEMO, created)
    client.import_folder(DEMO, Listing(listing.items[:40], listing.unused), journal=journal)
    summary = load_demo(client, tmp_path, lambda _: None)
    assert (summary.known, summary.added) == (40, 56)


async def _imported(transport: httpx.MockTransport, source: Path, journal: Path) -> Summary:
    async with AsyncClient("http://fake", transport=transport, retries=QUICK) as client:
        return await client.import_folder("i", source, journal=journal, workers=5)


def test_an_import_that_is_awaited_does_the_same(tmp_path: Path, api: FakeApi) -> None:
    names = [*(f"f{n}" for n in range(30)), "bad"]
    source, journal = manifest(tmp_path, *pictures(tmp_path, *names)), tmp_path / "journal"
    busy, most = 0, 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.001)
        busy -= 1
        return api.answer(request)

    first = asyncio.run(_imported(httpx.MockTransport(answer), source, journal))
    assert (first.total, first.added, len(first.failures)) == (31, 30, 1)
    assert 1 < most <= 5
    second = asyncio.run(_imported(api.transport(), source, journal))
    assert (second.added, second.known) == (0, 30)


def test_an_import_that_is_awaited_stops_when_the_server_is_gone(
    tmp_path: Path, api: FakeApi
) -> None:
    source = manifest(tmp_path, *pictures(tmp_path, *(f"f{n}" for n in range(50))))

    def dying(request: httpx.Request) -> httpx.Response:
        if len(api.requests) >= 20:
            raise httpx.ConnectError("refused")
        return api.answer(request)

    first = asyncio.run(_imported(httpx.MockTransport(dying), source, tmp_path / "journal"))
    assert "does not answer" in first.stopped
    second = asyncio.run(_imported(api.transport(), source, tmp_path / "journal"))
    assert (second.added, second.known, second.stopped) == (50 - first.added, first.added, "")


def test_every_demo_picture_is_there_and_credited() -> None:
    credited = (FOLDER / "CREDITS.md").read_text()
    for name in ("catalog.jsonl", "queries.jsonl"):
        for line in (FOLDER / name).read_text().splitlines():
            file = json.loads(line)["file"]
            assert (FOLDER / file).is_file()
            assert f"`{file}`" in credited
    assert QUERY.is_file()
    categories = {
        json.loads(line)["category_id"]
        for line in (FOLDER / "catalog.jsonl").read_text().splitlines()
    }
    assert len(categories) == 14


def test_many_threads_may_read_the_first_answers_at_once() -> None:
    program = """
import sys, threading
from imagesearch_client import Client, answers
import msgspec

sys.setswitchinterval(1e-6)
picture = '{"product_id":"p","pic_name":"n","category_id":1,"region":[0,9,0,9],"regions":[]}'
answer = f'{{"picture":{picture},"sequence":1}}'.encode()
threads = [
    threading.Thread(target=msgspec.json.decode, args=(answer,), kwargs={"type": answers.Added})
    for _ in range(4)
]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    for _ in range(12):
        assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
