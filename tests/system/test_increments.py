"""Batch tasks and the inbox on the real service, with all that can go wrong on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.ingest.job import job
from benchmarks.ingest.run import BUCKET, Yard
from tests.pictures import as_bytes, drawn
from tests.running import Service

pytestmark = pytest.mark.system


@pytest.fixture
def bucket(service: Service) -> Any:
    """The object store of the service that the tests share."""
    yard = Yard(service.data, job(0, light=True))
    return yard.s3()


def soon(found: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what is found as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (result := found()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return result


def test_a_task_survives_killed_workers_bad_events_and_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGESEARCH_EVENT_TROUBLE", "duplicate=0.5,delay=1,seed=1")
    yard = Yard(tmp_path / "data", job(300, light=True))
    yard.start()
    try:
        result = yard.run(kills=1, restarts=1, most=240)
    finally:
        yard.service.stop()
    assert result.mistakes == []
    assert (result.kills, result.restarts) == (1, 1)
    assert result.megabytes < 1000


def test_a_picture_in_the_inbox_is_indexed_and_removed(
    client: httpx.Client, instance: str, bucket: Any
) -> None:
    key = f"inbox/{instance}/杯 1/50%+a.jpg"
    named = {"product_id": "杯 1"}

    def there() -> list[dict[str, Any]]:
        found = client.get(f"/v1/instances/{instance}/pictures", params=named).json()
        return list(found["pictures"])

    bucket.put_object(Bucket=BUCKET, Key=f"{key}.json", Body=b'{"StrAttr": "red"}')
    bucket.put_object(Bucket=BUCKET, Key=key, Body=as_bytes(drawn(1)))
    [picture] = soon(there)
    assert (picture["pic_name"], picture["str_attr"]) == ("50%+a.jpg", "red")
    bucket.delete_object(Bucket=BUCKET, Key=key)
    assert soon(lambda: not there())


def test_what_cannot_be_used_is_reported_beside_the_inbox(instance: str, bucket: Any) -> None:
    bucket.put_object(Bucket=BUCKET, Key=f"inbox/{instance}/p/a.txt", Body=b"no picture")
    place = f"inbox-errors/{instance}/p/a.txt.json"

    def said() -> Any:
        listed = bucket.list_objects_v2(Bucket=BUCKET, Prefix=place)
        return listed["KeyCount"] and bucket.get_object(Bucket=BUCKET, Key=place)["Body"].read()

    assert json.loads(soon(said))["code"] == "UnsupportedPicFormat"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"bucket": "no-such-bucket", "path": "/"}, "BucketNotFound"),
        ({"bucket": BUCKET, "path": "/imports/nowhere"}, "PathNotFound"),
        ({"bucket": BUCKET, "path": "/instances"}, "PathReserved"),
        ({"bucket": BUCKET, "path": "/imports/x/"}, "PathEndsWithSlash"),
        ({"bucket": BUCKET, "path": "/imports", "role_arn": "me"}, "InvalidRoleArn"),
    ],
)
def test_the_cause_is_named_before_anything_runs(
    client: httpx.Client, instance: str, wanted: dict[str, str], code: str
) -> None:
    checked = client.post(f"/v1/instances/{instance}/increments/check", json=wanted).json()
    assert [problem["code"] for problem in checked["problems"]] == [code]
    refused = client.post(f"/v1/instances/{instance}/increments", json=wanted)
    assert refused.status_code == 400
    assert (refused.json()["code"], "detail_zh" in refused.json()) == (code, True)


def test_a_task_is_cancelled_listed_and_resumed(
    client: httpx.Client, instance: str, bucket: Any
) -> None:
    folder = f"imports/{instance}"
    lines = [
        {"OperationType": "ADD", "ProductId": f"p{n}", "PicName": "a.jpg", "Region": "0,64,0,64"}
        for n in range(60)
    ]
    body = "\n".join(map(json.dumps, lines)).encode()
    bucket.put_object(Bucket=BUCKET, Key=f"{folder}/a.jpg", Body=as_bytes(drawn(1)))
    bucket.put_object(Bucket=BUCKET, Key=f"{folder}/increment.meta", Body=body)
    tasks = f"/v1/instances/{instance}/increments"
    sent = client.post(tasks, json={"bucket": BUCKET, "path": f"/{folder}"})
    place = sent.headers["location"]
    assert client.delete(place).status_code == 202
    ended = soon(lambda: (t := client.get(place).json())["state"] in {"cancelled", "done"} and t)
    [listed] = client.get(tasks).json()["increments"]
    assert listed["id"] == ended["id"]
    if ended["state"] == "cancelled" and client.post(f"{place}/resume").status_code == 202:
        assert soon(lambda: client.get(place).json()["state"] == "done")
        assert client.get(place).json()["counts"]["added"] == 60
