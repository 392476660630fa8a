"""Pictures in, look-alikes out: HTTP, the Lambda runtime emulator, a real S3 server."""

from __future__ import annotations

import base64
import signal
from typing import Any

import httpx
import pytest

from tests.pictures import as_bytes, drawn
from tests.running import Service, descendants

pytestmark = pytest.mark.system

EXACT = "7.33136443711219e+24;0"


def add(client: httpx.Client, instance: str, seed: int, **fields: Any) -> httpx.Response:
    body = {
        "product_id": f"p{seed}",
        "pic_name": "main.jpg",
        "image": base64.b64encode(as_bytes(drawn(seed))).decode(),
        **fields,
    }
    return client.post(f"/v1/instances/{instance}/pictures", json=body)


def search(client: httpx.Client, instance: str, seed: int, **fields: Any) -> Any:
    body = {"image": base64.b64encode(as_bytes(drawn(seed))).decode(), **fields}
    answer = client.post(f"/v1/instances/{instance}/search", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_added_picture_is_found_at_once_with_the_exact_maximum(
    client: httpx.Client, instance: str
) -> None:
    for seed in range(4):
        answer = add(client, instance, seed, category_id=4, int_attr=seed)
        assert answer.status_code == 201, answer.text
    found = search(client, instance, 2, category_id=4)
    first = found["hits"][0]
    assert (first["product_id"], first["sort_expr_values"]) == ("p2", EXACT)
    assert (first["score"], first["hamming"], first["int_attr"]) == (1.0, 0, 2)
    assert first["relevance"] == 7.33136443711219e24
    relevances = [hit["relevance"] for hit in found["hits"]]
    assert relevances == sorted(relevances, reverse=True)
    assert found["total"] == 4
    assert found["index"]["sequence"] == answer.json()["sequence"]


def test_every_answer_carries_request_id_and_timing(client: httpx.Client, instance: str) -> None:
    answer = add(client, instance, 1)
    assert answer.headers["x-request-id"]
    assert "embed;dur=" in answer.headers["server-timing"]


def test_a_picture_may_be_the_body_itself(client: httpx.Client, instance: str) -> None:
    raw = as_bytes(drawn(7), "PNG")
    kind = {"content-type": "image/png"}
    path = f"/v1/instances/{instance}"
    names = {"product_id": "包/1?", "pic_name": "a b+c%.png", "str_attr": "é"}
    added = client.post(f"{path}/pictures", params=names, content=raw, headers=kind)
    assert added.status_code == 201, added.text
    hit = client.post(f"{path}/search", params={"num": 1}, content=raw, headers=kind).json()[
        "hits"
    ][0]
    assert hit["sort_expr_values"] == EXACT
    assert {name: hit[name] for name in names} == names


def test_names_of_every_kind_are_shown_and_deleted(client: httpx.Client, instance: str) -> None:
    path = f"/v1/instances/{instance}/pictures"
    plain = {"product_id": "包 1", "pic_name": "a b+c%.png"}
    hard = {"product_id": "包/1?", "pic_name": "../x y#.jpg"}
    for names in (plain, hard):
        assert add(client, instance, 1, **names).status_code == 201
    shown = client.get(f"{path}/%E5%8C%85%201/a%20b%2Bc%25.png")
    assert shown.status_code == 200, shown.text
    assert shown.json()["pic_name"] == "a b+c%.png"
    listed = client.get(path, params=hard).json()["pictures"]
    assert [picture["pic_name"] for picture in listed] == ["../x y#.jpg"]
    assert client.delete(path, params=hard).json()["deleted"] == ["../x y#.jpg"]
    assert client.get(path, params={"product_id": "包/1?"}).json()["pictures"] == []
    gone = client.delete(f"{path}/%E5%8C%85%201/a%20b%2Bc%25.png")
    assert gone.json()["deleted"] == ["a b+c%.png"]


def test_a_given_region_is_the_subject_and_crop_false_is_the_whole(
    client: httpx.Client, instance: str
) -> None:
    given = add(client, instance, 1, region="10,90,20,100").json()["picture"]
    assert given["region"] == [10, 90, 20, 100]
    whole = add(client, instance, 2, region="10,90,20,100", crop=False).json()["picture"]
    assert whole["region"] == [0, 160, 0, 120]
    cut = drawn(1).crop((10, 20, 90, 100))
    found = client.post(
        f"/v1/instances/{instance}/search",
        params={"crop": "false", "num": 1},
        content=as_bytes(cut, "PNG"),
        headers={"content-type": "image/png"},
    ).json()
    assert found["hits"][0]["product_id"] == "p1"


def test_search_by_an_indexed_picture_finds_itself_first(
    client: httpx.Client, instance: str
) -> None:
    for seed in range(3):
        add(client, instance, seed, category_id=9)
    path = f"/v1/instances/{instance}/search"
    found = client.post(path, json={"product_id": "p1", "pic_name": "main.jpg"}).json()
    assert (found["hits"][0]["product_id"], found["total"]) == ("p1", 3)
    assert found["hits"][0]["sort_expr_values"] == EXACT
    absent = client.post(path, json={"product_id": "p9", "pic_name": "main.jpg"})
    assert (absent.status_code, absent.json()["code"]) == (400, "PicNotExist")


def test_paging_threshold_filter_and_distinct(client: httpx.Client, instance: str) -> None:
    for seed in range(6):
        shared = {"product_id": f"p{seed // 2}", "pic_name": f"{seed}.jpg"}
        add(client, instance, seed, category_id=0, int_attr=seed, **shared)
    every = search(client, instance, 0, category_id=0)["hits"]
    paged = [
        hit
        for start in range(0, 6, 2)
        for hit in search(client, instance, 0, category_id=0, num=2, start=start)["hits"]
    ]
    assert paged == every
    assert len(every) == 6
    distinct = search(client, instance, 0, category_id=0, distinct_product=True)
    assert [h["product_id"] for h in distinct["hits"]] == list(
        dict.fromkeys(h["product_id"] for h in every)
    )
    assert distinct["total"] == 3
    only = search(client, instance, 0, category_id=0, score_threshold=0.999)
    assert [h["pic_name"] for h in only["hits"]] == ["0.jpg"]
    chosen = search(client, instance, 0, category_id=0, filter="int_attr >= 4")
    assert {h["int_attr"] for h in chosen["hits"]} == {4, 5}
    assert search(client, instance, 0, category_id=1)["hits"] == []


def test_adding_again_overwrites_unless_told_otherwise(client: httpx.Client, instance: str) -> None:
    add(client, instance, 1, category_id=3, int_attr=1)
    again = add(client, instance, 1, category_id=3, int_attr=2)
    assert again.status_code == 201
    kept = add(client, instance, 1, category_id=3, int_attr=3, if_exists="keep")
    assert (kept.status_code, kept.json()["picture"]["int_attr"]) == (200, 2)
    refused = add(client, instance, 1, if_exists="fail")
    assert (refused.status_code, refused.json()["code"]) == (409, "PictureExists")
    hits = search(client, instance, 1, category_id=3)["hits"]
    assert [hit["int_attr"] for hit in hits] == [2]


def test_deleting_names_what_went_and_nothing_twice(client: httpx.Client, instance: str) -> None:
    for name in ("a", "b", "c"):
        add(client, instance, 1, pic_name=name, category_id=3)
    path = f"/v1/instances/{instance}/pictures"
    assert client.delete(f"{path}/p1/a").json()["deleted"] == ["a"]
    assert client.delete(f"{path}/p1/a").json()["deleted"] == []
    assert client.delete(f"{path}/p1").json()["deleted"] == ["b", "c"]
    assert client.get(f"{path}/p1/b").status_code == 404
    assert search(client, instance, 1, category_id=3)["hits"] == []


def test_an_upload_stands_in_for_the_picture(client: httpx.Client, instance: str) -> None:
    raw = as_bytes(drawn(5))
    begun = client.post("/v1/uploads", json={"content_type": "image/jpeg", "size": len(raw)})
    assert begun.status_code == 201
    ticket = begun.json()
    too_early = client.post(
        f"/v1/instances/{instance}/search", json={"upload_id": ticket["upload_id"]}
    )
    assert (too_early.status_code, too_early.json()["code"]) == (404, "UploadNotFound")
    httpx.put(ticket["url"], content=raw, headers=ticket["headers"]).raise_for_status()
    body = {"product_id": "up", "pic_name": "a", "upload_id": ticket["upload_id"], "category_id": 1}
    assert client.post(f"/v1/instances/{instance}/pictures", json=body).status_code == 201
    assert search(client, instance, 5, category_id=1)["hits"][0]["sort_expr_values"] == EXACT


def test_the_other_services_have_one_category(client: httpx.Client) -> None:
    for service in ("generic", "fabric", "trademark"):
        name = f"kind-{service}"
        made = client.put(f"/v1/instances/{name}", json={"service": service})
        assert made.status_code == 201
        picture = add(client, name, 1, category_id=4, region="10,90,20,100").json()["picture"]
        assert picture["category_id"] == 88888888
        expected = [0, 160, 0, 120] if service == "fabric" else [10, 90, 20, 100]
        assert picture["region"] == expected
        hits = search(client, name, 1, category_id=0, region="10,90,20,100")["hits"]
        assert hits[0]["sort_expr_values"] == EXACT
        client.delete(f"/v1/instances/{name}", params={"confirm": name})


def test_instances_come_and_go(client: httpx.Client) -> None:
    path = "/v1/instances/passing"
    assert client.put(path, json={"service": "product"}).status_code == 201
    assert client.put(path, json={"service": "product"}).status_code == 200
    assert client.put(path, json={"service": "fabric"}).status_code == 409
    add(client, "passing", 1)
    shown = client.get(path).json()
    assert (shown["pictures"], shown["products"], shown["service"]) == (1, 1, "product")
    assert "passing" in [one["name"] for one in client.get("/v1/instances").json()["instances"]]
    assert client.delete(path).status_code == 400
    assert client.delete(path, params={"confirm": "passing"}).status_code == 202
    assert client.get(path).status_code == 404
    assert add(client, "passing", 1).status_code == 404
    assert client.put(path, json={"service": "fabric"}).status_code == 201
    assert client.get(path).json()["pictures"] == 0
    client.delete(path, params={"confirm": "passing"})


def test_health(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    assert client.get("/health/ready").json()["model"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_everything_is_there_after_a_stop_and_nothing_keeps_running(
    own_service: Service, how: signal.Signals
) -> None:
    own_service.start()
    with own_service.client() as client:
        client.put("/v1/instances/kept", json={"service": "generic"}).raise_for_status()
        add(client, "kept", 3).raise_for_status()
    assert own_service.process
    children = descendants(own_service.process.pid)
    own_service.stop(how)
    assert_gone(children)
    own_service.start()
    with own_service.client() as client:
        assert search(client, "kept", 3)["hits"][0]["sort_expr_values"] == EXACT
    assert own_service.stop() == 0


def assert_gone(pids: list[int]) -> None:
    import time
    from pathlib import Path

    def running(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    for _ in range(100):
        left = [pid for pid in pids if running(pid)]
        if not left:
            return
        time.sleep(0.1)
    raise AssertionError(f"still running: {left}")
