"""An evaluation through a service and in this process, and its report."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from imagesearch_client import Client, Retries, UnusableSource
from imagesearch_local.evaluation import Settings, compare, evaluate
from imagesearch_local.evaluation.labelled import LabelledSet

from tests.local.fake_api import instance
from tests.pictures import as_bytes, drawn
from tests.vision.conftest import description, network, write

QUIET = Settings(quiet=True, workers=2)
KEYS = ["queries", "recall_at_1", "recall_at_10", "map", "category_accuracy", "subject_iou"]


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of five products; the third query's right product looks like none."""
    for seed in range(8):
        (tmp_path / f"{seed}.png").write_bytes(as_bytes(drawn(seed), "PNG"))
    catalogue = [
        {
            "service": "product",
            "product_id": f"p{seed}",
            "pic_name": "main",
            "file": f"{seed}.png",
            "label": "thing",
            "category_id": 9,
            "region": [0, 160, 0, 120],
            "license": "CC0",
        }
        for seed in range(5)
    ]
    kinds = ["same", "same", "other", "appmark"]
    questions = [
        {
            "query_id": f"q{seed}",
            "file": f"{seed}.png",
            "kind": kind,
            "relevant": [f"p{seed}" if kind != "other" else "p9"],
            "region": [0, 160, 0, 120],
            "category_id": 9,
            "category_conf": "sure" if seed else "unsure",
        }
        for seed, kind in enumerate(kinds)
    ]
    _write_lines(tmp_path / "catalog.jsonl", catalogue)
    _write_lines(tmp_path / "queries.jsonl", questions)
    return tmp_path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    return write(folder, {"tiny.onnx": network().SerializeToString()}, description())


ALIKE = {"score": 0.9, "relevance": 1.0, "hamming": 9, "sort_expr_values": "1;9"}


def _picture(sent: dict[str, Any]) -> dict[str, Any]:
    key = {"product_id": sent["product_id"], "pic_name": sent["pic_name"]}
    return {**key, "category_id": 9, "region": [0, 80, 0, 120]}


class Service:
    """Answers as the service does: every picture is its own best match."""

    def __init__(self) -> None:
        self.pictures: dict[str, dict[str, Any]] = {}
        self.instances: set[str] = set()
        self.refuse: set[str] = set()
        self.seen: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.split("/")[3]
        if request.method == "PUT":
            self.instances.add(name)
            return httpx.Response(201, json=instance(name))
        if request.method == "DELETE":
            self.instances.remove(name)
            return httpx.Response(202, json={"deleted": name})
        body = json.loads(request.content)
        self.seen.append(body)
        if request.url.path.endswith("/pictures"):
            if body["product_id"] in self.refuse:
                return httpx.Response(400, json={"code": "DamagedPicContent", "detail": "cut off"})
            self.pictures[body["image"]] = body
            seen = {**_picture(body), "regions": []}
            return httpx.Response(201, json={"picture": seen, "sequence": 1})
        assert base64.b64decode(body["image"])
        hits = sorted(self.pictures.values(), key=lambda p: p["image"] != body["image"])
        return httpx.Response(
            200,
            json={
                "hits": [{**_picture(hit), **ALIKE} for hit in hits],
                "total": len(hits),
                "index": {"generation": 1, "sequence": 1},
                "query": {"category_id": 9, "region": [0, 80, 0, 120], "regions": []},
                "took_ms": {"decode": 1.0, "total": 5.0},
            },
        )


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def client(service: Service) -> Client:
    return Client(transport=httpx.MockTransport(service), retries=Retries(attempts=1))


def test_figures_through_a_service(folder: Path, service: Service, client: Client) -> None:
    result = evaluate(folder, client=client, settings=QUIET)
    assert list(result) == [*KEYS, "by_kind", "ms_per_query"]
    assert result["queries"] == 3
    assert result["recall_at_1"] == pytest.approx(2 / 3, abs=1e-4)
    assert result["subject_iou"] == 0.5
    assert result["category_accuracy"] == 1.0
    assert result["ms_per_query"] == 5.0
    assert list(result["by_kind"]) == ["appmark", "other", "same"]
    assert result["by_kind"]["same"]["recall_at_1"] == 1.0
    assert result["by_kind"]["other"]["recall_at_10"] == 0.0
    assert all("region" not in body and "crop" not in body for body in service.seen)


def test_the_instance_is_thrown_away(folder: Path, service: Service, client: Client) -> None:
    evaluate(folder, client=client, settings=QUIET)
    assert service.instances == set()
    (folder / "1.png").unlink()
    with pytest.raises(UnusableSource):
        evaluate(folder, client=client, settings=QUIET)
    assert service.instances == set()


def test_a_refused_picture_counts_as_not_found(
    folder: Path, service: Service, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    service.refuse = {"p0"}
    result = evaluate(folder, client=client, settings=QUIET)
    assert result["by_kind"]["same"]["recall_at_1"] == 0.5
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "cut off" in shown.err


@pytest.mark.parametrize(
    ("boxes", "sent"), [("true", {"region": [0, 160, 0, 120]}), ("whole", {"crop": False})]
)
def test_other_boxes_are_sent(
    folder: Path, service: Service, client: Client, boxes: Any, sent: dict[str, Any]
) -> None:
    evaluate(folder, client=client, settings=Settings(quiet=True, boxes=boxes))
    assert all(body.items() >= sent.items() for body in service.seen)


def test_figures_in_this_process(folder: Path, bundle: Path) -> None:
    result = evaluate(folder, bundle=bundle, settings=QUIET)
    assert result["by_kind"]["same"]["recall_at_1"] == 1.0
    assert result["by_kind"]["other"]["recall_at_1"] == 0.0
    assert result["ms_per_query"] > 0
    whole = evaluate(folder, bundle=bundle, settings=Settings(quiet=True, boxes="whole"))
    assert whole["subject_iou"] == 1.0


def test_a_broken_query_picture_is_a_miss(folder: Path, bundle: Path) -> None:
    (folder / "7.png").write_bytes(b"nothing")
    questions = (folder / "queries.jsonl").read_text().replace("1.png", "7.png")
    (folder / "queries.jsonl").write_text(questions)
    result = evaluate(folder, bundle=bundle, settings=QUIET)
    assert result["by_kind"]["same"]["recall_at_1"] == 0.5


def test_the_report_shows_failures(folder: Path, bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = Settings(quiet=True, report=out)
    evaluate(folder, bundle=bundle, settings=settings)
    page = (out / "report.html").read_text()
    assert "Not first: 1" in page
    assert "right is p9; tiny-1 has it not" in page
    for data in re.findall(r"data:image/jpeg;base64,([^\"]+)", page):
        assert base64.b64decode(data).startswith(b"\xff\xd8")
    assert "http" not in page.replace("http-equiv", "")


def test_the_report_compares_two_bundles(folder: Path, bundle: Path, tmp_path: Path) -> None:
    about = {**description(), "id": "tiny-2", "subject": None}
    other = write(tmp_path / "other", {"tiny.onnx": (bundle / "tiny.onnx").read_bytes()}, about)
    first, second = compare(folder, [bundle, other], Settings(quiet=True, report=tmp_path / "out"))
    assert second["subject_iou"] == 1.0
    assert first["queries"] == second["queries"]
    page = (tmp_path / "out/report.html").read_text()
    assert "Only one finds it:" in page
    assert "tiny-1" in page
    assert "tiny-2" in page


def test_a_folder_that_is_no_set_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableSource, match=r"catalog\.jsonl cannot be read"):
        LabelledSet.read(tmp_path / "nowhere")
    (folder / "queries.jsonl").write_text('{"query_id": "a"}\n')
    with pytest.raises(UnusableSource, match=r"queries\.jsonl, line 1: .*file"):
        LabelledSet.read(folder)


def test_a_bundle_that_is_not_sound_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableSource, match=r"bundle\.json cannot be read"):
        evaluate(folder, bundle=tmp_path / "nowhere", settings=QUIET)
