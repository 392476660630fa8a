"""Each cause has its own code, is said in both languages, and nothing is started by asking."""

from __future__ import annotations

import json

import pytest
from imagesearch.errors import IncrementRefused
from imagesearch.ingest.problems import Problem
from imagesearch.ingest.roles import session_policy
from imagesearch.operations.increments import SubmitIncrement, check_increment, submit_increment

from tests.ingest.causes import (
    CAUSES,
    NOT_EMULATED,
    PAGE,
    answers,
    asked,
    emulated_world,
    page,
    world,
)


@pytest.fixture(scope="module")
def said() -> dict[str, list[Problem]]:
    return answers()


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ("bucket's name with s3://", "InvalidBucketName"),
        ("bucket does not exist", "BucketNotFound"),
        ("bucket in another region", "BucketInOtherRegion"),
        ("bucket of another account", "BucketOwnerMismatch"),
        ("role is not an ARN", "InvalidRoleArn"),
        ("role is not registered", "RoleNotRegistered"),
        ("role of our account does not exist", "RoleNotFound"),
        ("role trusts another service", "RoleNotAssumable"),
        ("role wants another external id", "RoleNotAssumable"),
        ("role may not list", "ListNotAllowed"),
        ("role may not read", "ReadNotAllowed"),
        ("path without / in front", "PathNotAbsolute"),
        ("path with / at the end", "PathEndsWithSlash"),
        ("path in our own bucket", "PathReserved"),
        ("path not there", "PathNotFound"),
        ("no increment.meta", "MetaNotFound"),
        ("increment.meta is empty", "MetaEmpty"),
        ("increment.meta is not UTF-8", "MetaNotUtf8"),
        ("increment.meta is torn gzip", "MetaDamaged"),
        ("callback to the cloud's metadata", "CallbackNotAllowed"),
    ],
)
def test_a_cause_is_named(said: dict[str, list[Problem]], cause: str, code: str) -> None:
    assert [problem.code for problem in said[cause]] == [code]


def test_accounts_that_enforce_iam_give_the_same_answers(said: dict[str, list[Problem]]) -> None:
    """Trust, external ids, policies, sessions and owners as another's program understands them."""
    try:
        enforced = answers(emulated_world)
    except FileNotFoundError:
        pytest.skip("needs the emulated account: run tools/sam/setup.sh")
    for cause in CAUSES.keys() - NOT_EMULATED:
        assert enforced[cause] == said[cause], cause


def test_every_cause_has_an_answer_in_both_languages(said: dict[str, list[Problem]]) -> None:
    for cause in CAUSES:
        assert said[cause], cause
        for problem in said[cause]:
            assert problem.message.endswith(".")
            assert problem.fix
            assert problem.message_zh.endswith("。")
            assert problem.fix_zh.endswith("。")


def test_lines_are_named_with_their_own_codes(said: dict[str, list[Problem]]) -> None:
    found = said["lines that cannot be carried out"]
    assert [(problem.line, problem.code) for problem in found] == [
        (1, "LineNotJson"),
        (2, "LineTooLong"),
        (3, "UnknownOperation"),
        (4, "LineFieldMissing"),
        (5, "LineFieldInvalid"),
    ]


def test_the_page_shows_these_answers(said: dict[str, list[Problem]]) -> None:
    assert PAGE.read_text("utf-8") == page(said), "run python -m tests.ingest.causes"


def test_what_is_well_is_taken_and_what_is_not_starts_nothing() -> None:
    with world() as (_, deployment, buckets):
        good = SubmitIncrement(instance="shop", **asked())
        assert check_increment(deployment, good, buckets=buckets) == []
        for wanted in CAUSES.values():
            with pytest.raises(IncrementRefused):
                submit_increment(
                    deployment, SubmitIncrement(instance="shop", **wanted), buckets=buckets
                )
        keys = [info.key for info in deployment.store.list("tasks/")]
        assert all(key.startswith("tasks/trust/") for key in keys)
        assert submit_increment(deployment, good, buckets=buckets).state == "queued"


def test_a_picture_outside_the_path_is_read_with_a_session_of_its_own() -> None:
    with world() as (cloud, deployment, buckets):
        instance = deployment.instances.get("shop")
        source = buckets.open(instance, "goods-bucket", "/good", asked()["role_arn"], "")
        assert source.picture("good", "pictures/a.jpg") == b"a"
        reads = [policy["Statement"][1]["Resource"] for _, policy in cloud.sessions.values()]
        assert reads == ["arn:aws:s3:::goods-bucket/good/*", "arn:aws:s3:::goods-bucket/*"]


def test_a_session_may_do_no_more_than_list_and_read_the_path() -> None:
    policy = json.loads(session_policy("arn:aws-cn:iam::1:role/r", "b", "p/", whole=False))
    listing, reading, keys = policy["Statement"]
    assert listing["Resource"] == "arn:aws-cn:s3:::b"
    assert listing["Condition"] == {"StringLikeIfExists": {"s3:prefix": "p/*"}}
    assert reading == {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "arn:aws-cn:s3:::b/p/*",
    }
    assert keys["Action"] == "kms:Decrypt"
