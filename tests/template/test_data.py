"""The bucket: private, encrypted, versioned, and never deleted with the stack."""

from __future__ import annotations

from collections.abc import Callable

from tests.template.conftest import Tree

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0d1e2f3a-0b1c-4d5e-8f90-a1b2c3d4e5f6"


def _encryption(bucket: Tree) -> Tree:
    rules = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    rule: Tree = rules[0]
    return rule


def test_pictures_outlive_the_stack(written: Tree) -> None:
    bucket = written["Resources"]["Bucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


def test_nobody_outside_reads_the_bucket(deployed: Callable[..., Tree]) -> None:
    bucket = deployed()["Bucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_only_tls_reaches_the_bucket(deployed: Callable[..., Tree]) -> None:
    (statement,) = deployed()["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == ["Bucket.Arn", "Bucket.Arn/*"]


def test_objects_are_encrypted_with_the_owners_key_if_there_is_one(
    deployed: Callable[..., Tree],
) -> None:
    plain = _encryption(deployed()["Bucket"]["Properties"])
    assert plain == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    own = _encryption(deployed(KmsKeyArn=KEY)["Bucket"]["Properties"])
    assert own["BucketKeyEnabled"] is True
    assert own["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == KEY


def test_earlier_states_are_kept_for_as_long_as_chosen(deployed: Callable[..., Tree]) -> None:
    bucket = deployed(OldVersionDays="30")["Bucket"]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert int(rules["earlier-states"]["NoncurrentVersionExpiration"]["NoncurrentDays"]) == 30
    assert rules["leftovers"]["AbortIncompleteMultipartUpload"]


def test_only_what_is_passing_expires(deployed: Callable[..., Tree]) -> None:
    """Pictures' records, models and what owners put in themselves stay until they are deleted."""
    rules = deployed()["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {rule.get("Prefix", "") for rule in rules if "ExpirationInDays" in rule}
    assert expiring >= {"uploads/", "nonces/"}
    for lasting in ("instances/", "index/", "models/", "imports/", "inbox/"):
        assert not [prefix for prefix in expiring if lasting.startswith(prefix)], lasting


def test_the_name_is_the_one_the_functions_are_told(deployed: Callable[..., Tree]) -> None:
    resources = deployed()
    name = resources["Bucket"]["Properties"]["BucketName"]
    for logical, body in resources.items():
        if body["Type"] == "AWS::Lambda::Function":
            variables = body["Properties"]["Environment"]["Variables"]
            assert variables["IMAGESEARCH_BUCKET"] == name, logical
