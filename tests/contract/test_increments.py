"""Batch tasks by the vendor's two operations, from submission to the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from imagesearch.contract.keys import KeyRing
from imagesearch.contract.service import Contract
from imagesearch.limits import Limits
from imagesearch.operations.increments import trust_role
from imagesearch.operations.instances import NamedInstance

from tests.contract.caller import Answered, World
from tests.contract.wire import Keys
from tests.ingest.yard import META, Bucket, Buckets, Yard, add, meta

SHOP = {"InstanceName": "shop"}
THEIRS = {**SHOP, "BucketName": "theirs", "Path": "/goods"}
ROLES = [f"arn:aws:iam::123456789012:role/{name}" for name in ("first", "second")]


class Noting(Buckets):
    """Notes with which role a bucket is opened."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket)
        self.roles: list[object] = []

    def open(self, *asked: object) -> Bucket:
        self.roles.append(asked[3])
        return super().open()


class Vendor(World):
    """The contract in front of a yard, where tasks are really worked off."""

    def __init__(self, folder: Path) -> None:
        self.yard = Yard(folder, {"goods/a.jpg": b"1:3"})
        self.buckets = Noting(self.yard.bucket)
        self.keys, self.now = Keys(), 1_800_000_000.0
        self.key = self.add_key(name="main")
        self.contract = Contract(
            self.yard.deployment,
            KeyRing(self.keys, keep=0),
            region="eu-west-1",
            clock=lambda: self.now,
            buckets=self.buckets,  # type: ignore[arg-type]
        )

    def submit(self, lines: list[dict[str, Any]], folder: str = "goods", **more: str) -> Answered:
        self.yard.bucket.objects[f"{folder}/{META}"] = meta(lines)
        return self.call("IncreaseInstance", None, {**THEIRS, "Path": f"/{folder}", **more})

    def listed(self, **more: Any) -> Any:
        answer = self.call("IncreaseList", None, {**SHOP, **more})
        assert answer.status == 200, answer.body
        return answer.json["Data"]


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    return Vendor(tmp_path)


def test_a_task_from_submission_to_its_report(vendor: Vendor) -> None:
    submitted = vendor.submit(
        [add("p1"), add("p2", "missing.jpg")], CallbackAddress="http://127.0.0.1:9/done"
    )
    task_id = submitted.json["Data"]["Id"]
    assert isinstance(task_id, str)
    assert submitted.json == {
        "RequestId": "R-1",
        "Success": True,
        "Data": {"Id": task_id, "IncrementStatus": "PROCESSING"},
    }
    (waiting,) = vendor.listed()["Increments"]["Instance"]
    assert (waiting["Status"], waiting["Code"], waiting["ErrorUrl"]) == ("PROCESSING", "", "")
    vendor.yard.run()
    answer = vendor.listed()
    (done,) = answer.pop("Increments")["Instance"]
    assert answer == {"TotalCount": 1, "PageNumber": 1, "PageSize": 10}
    assert done.pop("ErrorUrl").startswith("http")
    assert isinstance(done.pop("UtcModified"), int)
    assert done == {
        "Id": int(task_id),
        "BucketName": "theirs",
        "Path": "/goods",
        "CallbackAddress": "http://127.0.0.1:9/done",
        "Code": "0",
        "Msg": "done: 2 of 2 done, 1 of them failed",
        "Status": "SUCCESS",
        "UtcCreate": str(int(task_id) // 1000),
    }


def test_a_key_fills_an_instance_by_tasks_no_further_than_it_may(vendor: Vendor) -> None:
    vendor.key = vendor.add_key(name="small", limits=Limits(pictures=2))
    assert vendor.submit([add("p1"), add("p2"), add("p3"), add("p1")]).status == 200
    vendor.yard.run()
    (done,) = vendor.listed()["Increments"]["Instance"]
    assert (done["Status"], done["Msg"]) == ("SUCCESS", "done: 4 of 4 done, 1 of them failed")
    assert len(vendor.yard.catalogue()) == 2


def test_tasks_are_listed_by_page_id_bucket_and_path(vendor: Vendor) -> None:
    ids = [int(vendor.submit([add("p")], f"f{n}").json["Data"]["Id"]) for n in range(3)]

    def found(**more: Any) -> list[int]:
        return [task["Id"] for task in vendor.listed(**more)["Increments"]["Instance"]]

    assert found() == ids[::-1]
    assert found(PageNumber=2, PageSize=2) == ids[:1]
    assert vendor.listed(PageNumber=2, PageSize=2)["TotalCount"] == 3
    assert found(Id=ids[1]) == [ids[1]]
    assert found(Id=1) == []
    assert found(Path="/f2") == [ids[2]]
    assert found(BucketName="nobodys") == []


def test_the_role_registered_last_is_used_and_none_for_our_own_bucket(vendor: Vendor) -> None:
    vendor.submit([add("p")])
    for role in ROLES:
        trust_role(vendor.yard.deployment, NamedInstance(instance="shop"), add=role)
    vendor.submit([add("p")])
    vendor.submit([add("p")], "imports/x", BucketName="own")
    assert vendor.buckets.roles == ["", ROLES[1], ""]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({**SHOP, "Path": "/goods"}, "Console.BadRequest"),
        ({**SHOP, "BucketName": "theirs"}, "Console.BadRequest"),
        ({**THEIRS, "BucketName": "s3://theirs"}, "InvalidBucketName"),
        ({**THEIRS, "Path": "goods"}, "PathNotAbsolute"),
        ({**THEIRS, "Path": "/goods/"}, "PathEndsWithSlash"),
        ({**THEIRS, "Path": "/nowhere"}, "PathNotFound"),
        ({**THEIRS, "Path": "/goods"}, "MetaNotFound"),
        ({**THEIRS, "InstanceName": "none"}, "Console.InstanceNotFound"),
    ],
)
def test_each_cause_has_its_code(vendor: Vendor, query: dict[str, str], code: str) -> None:
    answer = vendor.call("IncreaseInstance", None, query)
    assert (answer.status, answer.code) == (400, code), answer.body


def test_lines_that_cannot_be_carried_out_are_named(vendor: Vendor) -> None:
    answer = vendor.submit([add("p"), {"OperationType": "PAINT"}])
    assert answer.status == 400
    assert "line 2" in answer.message


def test_a_key_that_only_reads_may_follow_but_not_submit(vendor: Vendor) -> None:
    key = vendor.add_key(read_only=True)
    denied = vendor.call("IncreaseInstance", None, THEIRS, key=key)
    assert (denied.status, denied.code) == (403, "Console.NoPermission")
    assert vendor.call("IncreaseList", None, SHOP, key=key).status == 200
