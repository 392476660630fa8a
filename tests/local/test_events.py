"""SeaweedFS's events as S3 would have sent them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from imagesearch_local.events import Change, Trouble, changes
from imagesearch_local.problems import LocalFailure
from imagesearch_local.template import S3Trigger

ENTRY: dict[str, Any] = {
    "name": "a.jpg",
    "chunks": [{"size": 3, "modified_ts_ns": 255}],
    "attributes": {"file_size": 3},
    "extended": {"Seaweed-X-Amz-ETag": base64.b64encode(b"abc").decode()},
}


def told(kind: str, key: str, entry: dict[str, Any] = ENTRY) -> dict[str, Any]:
    side = "old_entry" if kind == "delete" else "new_entry"
    return {"event_type": kind, "key": f"/buckets/b/{key}", "message": {side: entry}}


def test_a_write_an_overwrite_and_a_removal() -> None:
    put = Change("ObjectCreated:Put", "b", "in/a.jpg", 3, "abc", "00000000000000FF")
    assert changes(told("create", "in/a.jpg")) == [put]
    assert changes(told("update", "in/a.jpg")) == [put]
    assert changes(told("delete", "in/a.jpg")) == [Change("ObjectRemoved:Delete", "b", "in/a.jpg")]


def test_a_multipart_upload_is_one_event_of_its_own_name() -> None:
    entry = {**ENTRY, "extended": {"X-Seaweedfs-Upload-Id": "x"}}
    [change] = changes(told("create", "big", entry))
    assert change.event == "ObjectCreated:CompleteMultipartUpload"


@pytest.mark.parametrize(
    "event",
    [
        told("create", "in", {"is_directory": True}),
        told("create", ".uploads/x/0001.part"),
        told("rename", "in/a.jpg"),
        {"event_type": "create", "key": "/buckets/b", "message": {"new_entry": ENTRY}},
    ],
)
def test_folders_parts_and_the_rest_are_nothing_to_s3(event: dict[str, Any]) -> None:
    assert changes(event) == []


def test_keys_are_written_as_forms_do() -> None:
    record = Change("ObjectCreated:Put", "b", "in/中 50%+a.jpg").record()["Records"][0]
    assert record["s3"]["object"]["key"] == "in/%E4%B8%AD+50%25%2Ba.jpg"
    assert record["s3"]["bucket"]["name"] == "b"


def test_a_rule_asks_for_events_of_a_prefix_and_a_suffix() -> None:
    rule = S3Trigger("b", ("s3:ObjectCreated:*",), "in/", ".jpg")
    assert Change("ObjectCreated:Put", "b", "in/a.jpg").fits(rule)
    assert not Change("ObjectRemoved:Delete", "b", "in/a.jpg").fits(rule)
    assert not Change("ObjectCreated:Put", "b", "in/a.png").fits(rule)
    assert not Change("ObjectCreated:Put", "b", "out/a.jpg").fits(rule)
    assert not Change("ObjectCreated:Put", "c", "in/a.jpg").fits(rule)


def test_trouble_is_asked_for_in_words() -> None:
    assert Trouble.parse("") == Trouble()
    assert Trouble.parse("duplicate=0.5, delay=2,seed=3") == Trouble(duplicate=0.5, delay=2, seed=3)
    assert Trouble.parse("lost=0.1") == Trouble(lost=0.1)
    with pytest.raises(LocalFailure):
        Trouble.parse("loss=1")
