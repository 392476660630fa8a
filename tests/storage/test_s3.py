"""The S3 store under faults that a healthy server does not produce on demand."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.response import StreamingBody
from imagesearch.errors import LostRace, NoSuchObject, StorageError, StorageUnavailable
from imagesearch.storage.s3 import S3ObjectStore


def refusal(status: int, code: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation"
    )


class Scripted:
    """A stand-in for the boto3 client that plays one scripted reply a call."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**_: Any) -> Any:
            self.calls.append(operation)
            reply = self.replies.pop(0)
            if isinstance(reply, Exception):
                raise reply
            return reply

        return call


class Broken:
    def read(self, *_: object) -> bytes:
        raise ReadTimeoutError(endpoint_url="http://store")


def got(body: bytes, etag: str = '"e"') -> dict[str, Any]:
    return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ETag": etag}


PUT = {"ETag": '"new"'}
CONFLICT = refusal(409, "ConditionalRequestConflict")
FAILED = refusal(412, "PreconditionFailed")
MISSING = refusal(404, "NoSuchKey")


def store(*replies: Any) -> tuple[S3ObjectStore, Scripted]:
    client = Scripted(*replies)
    return S3ObjectStore(client, "bucket"), client  # type: ignore[arg-type]


def test_a_conflict_is_tried_again_and_not_read_as_lost() -> None:
    subject, client = store(CONFLICT, CONFLICT, PUT)
    assert subject.put_if_absent("k", b"mine") == '"new"'
    assert client.calls == ["put_object"] * 3


def test_a_lasting_conflict_is_unavailability(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagesearch.storage.s3.time.sleep", lambda _: None)
    subject, _ = store(*[CONFLICT] * 8)
    with pytest.raises(StorageUnavailable, match="conflict"):
        subject.put_if_absent("k", b"mine")


def test_finding_our_own_bytes_is_our_write_whose_answer_was_lost() -> None:
    subject, _ = store(FAILED, got(b"mine", '"first"'))
    assert subject.put_if_absent("k", b"mine") == '"first"'


def test_finding_other_bytes_is_a_lost_race() -> None:
    subject, _ = store(FAILED, got(b"theirs"))
    with pytest.raises(LostRace):
        subject.put_if_absent("k", b"mine")


@pytest.mark.parametrize("answer", [FAILED, MISSING])
def test_a_swap_of_an_object_that_is_gone_is_a_lost_race(answer: ClientError) -> None:
    subject, _ = store(answer, MISSING)
    with pytest.raises(LostRace):
        subject.compare_and_swap("k", b"mine", '"old"')


def test_a_swap_whose_answer_was_lost_is_recognised() -> None:
    subject, _ = store(FAILED, got(b"mine", '"new"'))
    assert subject.compare_and_swap("k", b"mine", '"old"') == '"new"'


def test_a_body_that_breaks_off_is_read_again() -> None:
    subject, client = store({"Body": Broken(), "ETag": '"e"'}, got(b"whole"))
    assert subject.get("k").body == b"whole"
    assert client.calls == ["get_object"] * 2


def test_a_body_that_keeps_breaking_off_is_unavailability() -> None:
    subject, _ = store(*[{"Body": Broken(), "ETag": '"e"'}] * 3)
    with pytest.raises(StorageUnavailable, match="broke off"):
        subject.get("k")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (MISSING, NoSuchObject),
        (refusal(404, "404"), NoSuchObject),
        (refusal(503, "SlowDown"), StorageUnavailable),
        (refusal(500, "InternalError"), StorageUnavailable),
        (refusal(403, "AccessDenied"), StorageError),
        (refusal(404, "NoSuchBucket"), StorageError),
        (ReadTimeoutError(endpoint_url="http://store"), StorageUnavailable),
    ],
)
def test_each_refusal_has_its_meaning(answer: Exception, error: type[StorageError]) -> None:
    subject, _ = store(answer)
    with pytest.raises(StorageError) as caught:
        subject.get("k")
    assert type(caught.value) is error


def test_unchanged_is_none_and_a_range_beyond_the_end_is_empty() -> None:
    subject, _ = store(refusal(304, "304"), refusal(416, "InvalidRange"))
    assert subject.get_if_changed("k", '"e"') is None
    assert subject.get_range("k", 10, 5) == b""


def test_a_failed_delete_is_not_passed_over() -> None:
    subject, _ = store({"Errors": [{"Key": "k", "Code": "AccessDenied"}]})
    with pytest.raises(StorageError, match="k was not deleted"):
        subject.delete(["k"])


def test_a_description_has_the_time_of_the_store() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    subject, _ = store({"ContentLength": 3, "ETag": '"e"', "LastModified": at})
    assert subject.head("k").modified == int(at.timestamp()) * 1_000_000
