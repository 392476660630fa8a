"""The client of S3 Vectors: what it asks, how it takes refusals; and the fake, beside moto."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from imagesearch.catalogue import Attributes, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.engines import milvus, open_engine, s3vectors, s3vectors_filter
from imagesearch.engines.refusals import of_client
from imagesearch.errors import EngineUnavailable
from imagesearch.http import render_problem
from imagesearch.index.engine import Question

from tests.engines import packages
from tests.engines.fake_s3vectors import (
    FILTERABLE_BYTES,
    PAYLOAD,
    FakeS3Vectors,
    check_filter,
    passes,
    service_model,
)
from tests.engines.filters import ATTRIBUTES, filters
from tests.engines.test_engine import EXTREMES, SEGMENT, key, look, question, row, same


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client repeat at once."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)


@pytest.fixture
def quiet() -> Iterator[FakeS3Vectors]:
    with FakeS3Vectors(throttled_every=0) as server:
        yield server


def engine(server: FakeS3Vectors, index: str = "own") -> s3vectors.S3VectorsEngine:
    made = open_engine(f"s3vectors:vectors/{index}", uri=server.url, region="us-east-1")
    assert isinstance(made, s3vectors.S3VectorsEngine)
    return made


@settings(deadline=None, max_examples=300)
@given(filters)
def test_a_filter_says_the_same_whatever_an_absent_key_means(filter: Filter) -> None:
    asked = Question(features=look(1), segments=["s"], wanted=1, category_id=3, filter=filter)
    document = s3vectors_filter.conditions(asked)
    check_filter(document, {"record"})
    for attributes in ATTRIBUTES:
        metadata = {"segment": "s", "category": 3, **s3vectors_filter.metadata(attributes)}
        kept = {k: float(v) if isinstance(v, int) else v for k, v in metadata.items()}
        for absent_differs in (False, True):
            assert passes(kept, document, absent_differs) is filter.matches(attributes)


@pytest.mark.parametrize("attributes", [*EXTREMES, *ATTRIBUTES])
def test_what_filters_look_at_is_small(attributes: Any) -> None:
    metadata = s3vectors_filter.metadata(attributes)
    assert len(json.dumps(metadata)) < FILTERABLE_BYTES / 2


def test_the_largest_rows_are_within_the_limits(quiet: FakeS3Vectors) -> None:
    own = engine(quiet)
    own.create()
    strings = {f"str_attr{n}": "😀" * 128 for n in ("", 2, 3, 4)}
    largest = Attributes(custom_content="😀" * 4096, **strings)
    name = PictureKey("😀" * 256, "😀" * 256)
    own.fill([row(1, name=name, attributes=largest)])
    ((_, put),) = [asked for asked in quiet.requests if asked[0] == "PutVectors"]
    assert 500 * len(json.dumps(put)) < PAYLOAD
    assert len(put["vectors"][0]["metadata"]["record"]) < milvus.LONGEST_RECORD


def test_what_is_asked_is_within_the_limits(quiet: FakeS3Vectors) -> None:
    own = engine(quiet)
    own.create()
    own.fill([row(n) for n in range(1201)])
    own.find([row(n).picture.key for n in range(250)], [SEGMENT])
    own.nearest(question(look(1), 100_000))
    own.remove(SEGMENT, [row(n).picture.key for n in range(501)])
    asked = [(name, body) for name, body in quiet.requests]
    assert [len(b["vectors"]) for name, b in asked if name == "PutVectors"] == [500, 500, 201]
    assert [len(b["keys"]) for name, b in asked if name == "GetVectors"] == [100, 100, 50]
    assert [len(b["keys"]) for name, b in asked if name == "DeleteVectors"] == [500, 1]
    queries = [b for name, b in asked if name == "QueryVectors"]
    assert {b["topK"] for b in queries} == {own.deepest} == {10_000}
    assert {b["queryMode"] for b in queries} == {"ENHANCED"}
    assert len(queries) == 2 * -(-1201 // quiet.page)


def test_every_action_is_listed(quiet: FakeS3Vectors) -> None:
    own = engine(quiet)
    own.create()
    own.fill([row(1)])
    own.find([key("a")], [SEGMENT])
    own.nearest(question(look(1)))
    own.remove(SEGMENT, [key("a")])
    own.erase()
    assert {f"s3vectors:{name}" for name, _ in quiet.requests} == set(s3vectors.ACTIONS)
    for action in s3vectors.ACTIONS:
        assert action.partition(":")[2] in service_model().operation_names


def test_the_documented_policy_allows_every_action_and_no_more() -> None:
    page = (Path(__file__).parents[2] / "docs/scale.md").read_text("utf-8")
    (policy,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert json.loads(policy)["Action"] == [*s3vectors.ACTIONS]


@pytest.mark.usefixtures("impatient")
def test_throttling_is_waited_out() -> None:
    with FakeS3Vectors(throttled_every=2) as server:
        own = engine(server)
        own.create()
        filled = [row(n) for n in range(100)]
        own.fill(filled)
        assert same(own.nearest(question(look(1), 200)).rows, filled)
        throttled = len(server.requests) // 2
        assert throttled > 3


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("AccessDeniedException", "Allow s3vectors:QueryVectors on s3vectors:vectors/own"),
        ("NotFoundException", "hand the instance over again"),
        ("TooManyRequestsException", "shortly"),
        ("ServiceQuotaExceededException", "quota"),
        ("KmsDisabledException", "key"),
        ("InternalServerException", "handover --back"),
        ("ValidationException", "handover --back"),
    ],
)
def test_a_refusal_tells_what_to_do(quiet: FakeS3Vectors, code: str, fix: str) -> None:
    quiet.refusals["QueryVectors"] = code
    with pytest.raises(EngineUnavailable, match=code) as caught:
        engine(quiet).nearest(question(look(1)))
    assert fix in caught.value.fix
    assert "s3vectors:QueryVectors" in caught.value.detail


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalServerException"])
def test_a_caller_does_not_learn_the_account_from_a_refusal(code: str) -> None:
    said = {"Code": code, "Message": "arn:aws:sts::123456789012:assumed-role/search may not"}
    error = of_client(ClientError({"Error": said}, "QueryVectors"), "s3vectors:vectors/own")
    told = render_problem(error, request_id="1", path="/")
    assert "123456789012" not in told.detail + told.fix


@pytest.mark.usefixtures("impatient")
def test_nobody_there_is_told_in_the_end() -> None:
    away = open_engine("s3vectors:vectors/own", uri="http://127.0.0.1:9", region="us-east-1")
    for call in (away.create, away.erase, lambda: away.fill([row(1)])):
        with pytest.raises(EngineUnavailable, match="did not answer"):
            call()


def test_a_region_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    lost = open_engine("s3vectors:vectors/own")
    with pytest.raises(EngineUnavailable, match="region"):
        lost.create()
    with pytest.raises(EngineUnavailable, match="region"):
        assert lost.deepest


def test_where_a_query_brings_a_hundred_only_a_hundred_are_asked_for() -> None:
    with FakeS3Vectors(throttled_every=0, deepest=100) as server:
        own = engine(server)
        own.create()
        own.fill([row(n) for n in range(150)])
        found = own.nearest(question(look(1), 120))
        assert (len(found.rows), found.complete, own.deepest) == (100, False, 100)


def test_a_filter_that_ends_too_soon_is_asked_again_deeper() -> None:
    with FakeS3Vectors(throttled_every=0, looks_at=2) as server:
        own = engine(server)
        own.create()
        own.fill([row(n, attributes=Attributes(int_attr=n % 8)) for n in range(400)])
        asked = question(look(1), 20, filter=Filter.parse("int_attr = 3"))
        found = own.nearest(asked)
        assert len(found.rows) == 20
        assert not found.complete
        everything = own.nearest(replace(asked, wanted=51))
        assert len(everything.rows) == 50
        assert not own.nearest(replace(asked, filter=Filter.parse("int_attr = 9"))).rows


def test_a_vector_index_of_another_make_is_not_used(quiet: FakeS3Vectors) -> None:
    client(quiet.url).create_index(
        vectorBucketName="vectors",
        indexName="other",
        dataType="float32",
        dimension=4,
        distanceMetric="cosine",
    )
    with pytest.raises(EngineUnavailable, match="another make: dimension 4"):
        engine(quiet, "other").create()


def test_a_missing_bucket_is_told(quiet: FakeS3Vectors) -> None:
    with pytest.raises(EngineUnavailable, match="NotFoundException"):
        open_engine("s3vectors:nowhere/own", uri=quiet.url).create()


def test_a_row_that_somebody_altered_is_refused(quiet: FakeS3Vectors) -> None:
    own = engine(quiet)
    own.create()
    own.fill([row(1)])
    (vector,) = quiet.buckets["vectors"]["own"].vectors.values()
    vector.metadata["record"] = vector.metadata["record"][:-8] + "AAAAAAA="
    for call in (
        lambda: own.nearest(question(look(1))),
        lambda: own.find([row(1).picture.key], [SEGMENT]),
    ):
        with pytest.raises(EngineUnavailable, match="what was not put there"):
            call()


def client(endpoint: str | None) -> Any:
    return boto3.client(
        "s3vectors",
        region_name="us-east-1",
        endpoint_url=endpoint,
        config=Config(retries={"total_max_attempts": 1}),
    )


LOOK = {"float32": [1.0, -2.0, 0.5]}
WHERE = {"vectorBucketName": "vectors", "indexName": "small"}
MADE = {
    **WHERE,
    "dataType": "float32",
    "dimension": 3,
    "distanceMetric": "cosine",
    "metadataConfiguration": {"nonFilterableMetadataKeys": ["record"]},
}
PUT = {
    **WHERE,
    "vectors": [
        {"key": "a", "data": LOOK, "metadata": {"segment": "s", "record": "r"}},
        {"key": "b", "data": {"float32": [0.0, 0.0, 3.0]}, "metadata": {"segment": "t"}},
    ],
}
SCRIPT: list[tuple[str, dict[str, Any]]] = [
    ("get_index", WHERE),
    ("put_vectors", PUT),
    ("create_index", {**MADE, "vectorBucketName": "nowhere"}),
    ("create_index", MADE),
    ("create_index", MADE),
    ("get_index", WHERE),
    ("put_vectors", PUT),
    ("get_vectors", {**WHERE, "keys": ["b", "a", "c"], "returnMetadata": True}),
    ("get_vectors", {**WHERE, "keys": ["a"], "returnData": True}),
    ("get_vectors", {**WHERE, "keys": ["a"]}),
    ("put_vectors", {**WHERE, "vectors": [{**PUT["vectors"][0], "metadata": {"segment": "u"}}]}),
    ("get_vectors", {**WHERE, "keys": ["a"], "returnMetadata": True}),
    ("delete_vectors", {**WHERE, "keys": ["a", "zz"]}),
    ("get_vectors", {**WHERE, "keys": ["a", "b"]}),
    ("delete_index", WHERE),
    ("get_vectors", {**WHERE, "keys": ["a"]}),
    ("delete_vectors", {**WHERE, "keys": ["a"]}),
]
# moto makes an index again that is there, and forgets an index's metadata configuration.
MOTO_DIFFERS = {4, 5}


def outcome(one: Any, operation: str, parameters: dict[str, Any]) -> object:
    try:
        answer = getattr(one, operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    answer.pop("ResponseMetadata")
    answer.pop("indexArn", None)
    for name in ("indexArn", "creationTime", "encryptionConfiguration"):
        answer.get("index", {}).pop(name, None)
    if "vectors" in answer:
        answer["vectors"].sort(key=lambda vector: vector["key"])
    return answer


def test_the_fake_answers_as_moto_does(quiet: FakeS3Vectors) -> None:
    """moto 5.2 has vector buckets, indexes, PutVectors, GetVectors, DeleteVectors; no query."""
    if not packages.there("moto"):
        pytest.skip(packages.WHY_NOT)
    from moto import mock_aws

    ours = [outcome(client(quiet.url), *step) for step in SCRIPT]
    with mock_aws():
        real = client(None)
        real.create_vector_bucket(vectorBucketName="vectors")
        theirs = [outcome(real, *step) for step in SCRIPT]
    both = zip(SCRIPT, ours, theirs, strict=True)
    assert {n for n, (_, a, b) in enumerate(both) if a != b} == MOTO_DIFFERS


def test_the_engine_writes_and_reads_with_moto() -> None:
    if not packages.there("moto"):
        pytest.skip(packages.WHY_NOT)
    from moto import mock_aws

    with mock_aws():
        client(None).create_vector_bucket(vectorBucketName="vectors")
        own = open_engine("s3vectors:vectors/own", region="us-east-1")
        with pytest.raises(EngineUnavailable, match="not filtered"):
            own.create()  # it is made, but moto forgets its metadata configuration
        filled = [row(n) for n in range(120)]
        own.fill(filled)
        keys = [one.picture.key for one in filled]
        assert same(own.find(keys, [SEGMENT]), filled)
        own.remove(SEGMENT, keys[:100])
        assert same(own.find(keys, [SEGMENT]), filled[100:])
        own.erase()
        own.erase()
        with pytest.raises(EngineUnavailable, match="NotFoundException"):
            own.find(keys, [SEGMENT])


LOOKS = {"data": LOOK, "metadata": {"segment": "s"}}
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("put_vectors", {"vectors": [{"key": f"{n}", **LOOKS} for n in range(501)]}),
    ("put_vectors", {"vectors": [{"key": "a", **LOOKS}] * 2}),
    ("put_vectors", {"vectors": [{"key": "k" * 1025, **LOOKS}]}),
    ("put_vectors", {"vectors": [{"key": "a", "data": {"float32": [0.0, 0.0, 0.0]}}]}),
    ("put_vectors", {"vectors": [{"key": "a", "data": {"float32": [1.0, 0.0]}}]}),
    ("put_vectors", {"vectors": [{"key": "a", "data": LOOK, "metadata": {"x": "y" * 2048}}]}),
    ("put_vectors", {"vectors": [{"key": "a", "data": LOOK, "metadata": {"record": "y" * 41000}}]}),
    ("put_vectors", {"vectors": [{"key": "a", "data": LOOK, "metadata": {"x": None}}]}),
    ("put_vectors", {"vectors": [{"key": "a", "data": LOOK, "metadata": {"x": {"y": 1}}}]}),
    ("get_vectors", {"keys": [f"{n}" for n in range(101)]}),
    ("delete_vectors", {"keys": [f"{n}" for n in range(501)]}),
    ("query_vectors", {"queryVector": LOOK, "topK": 10_001}),
    ("query_vectors", {"queryVector": {"float32": [0.0, 0.0, 0.0]}, "topK": 1}),
    *(
        ("query_vectors", {"queryVector": LOOK, "topK": 1, "filter": document})
        for document in (
            {},
            {"$and": []},
            {"$not": [{"x": 1}]},
            {"record": "r"},
            {"x": {}},
            {"x": {"$in": []}},
            {"x": {"$gt": "text"}},
            {"x": {"$exists": 1}},
            {"x": {"$like": "a"}},
        )
    ),
]


@pytest.mark.parametrize(("operation", "parameters"), REFUSED)
def test_the_fake_refuses_what_the_service_would(
    quiet: FakeS3Vectors, operation: str, parameters: dict[str, Any]
) -> None:
    own = client(quiet.url)
    own.create_index(**MADE)
    assert outcome(own, operation, {**WHERE, **parameters}) == "ValidationException"
