"""Who may do what: signatures that fail, keys and what they reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from imagesearch.contract.keys import AccessKey

from tests.contract.caller import Answered, World, picture, signed_v3, text
from tests.contract.wire import event

SHOP = {"InstanceName": "shop"}
DETAIL, QUERY = ("Detail", "2020-12-14"), "InstanceName=shop"
KEY = {**SHOP, "ProductId": "p", "PicName": "a"}
ADD = {**KEY, "PicContent": text(picture(1))}
SEARCH = {**SHOP, "PicContent": text(picture(1))}


def refused(world: World, sent: dict[str, Any]) -> Answered:
    answer = world.send(sent)
    assert answer.json["RequestId"] == "R-1"
    return answer


def test_faults_of_the_signature_reach_the_caller(world: World) -> None:
    def sent() -> dict[str, Any]:
        return signed_v3(world.key, *DETAIL, world.now, b"", query=QUERY)

    wrong = replace(world.key, secret="guess")
    answer = refused(world, signed_v3(wrong, *DETAIL, world.now, b"", query=QUERY))
    assert (answer.status, answer.code) == (400, "SignatureDoesNotMatch")
    stranger = replace(world.key, id="LTAIstranger")
    answer = refused(world, signed_v3(stranger, *DETAIL, world.now, b""))
    assert (answer.status, answer.code) == (404, "InvalidAccessKeyId.NotFound")
    answer = refused(world, signed_v3(world.key, *DETAIL, world.now - 901, b""))
    assert (answer.status, answer.code) == (400, "InvalidTimeStamp.Expired")
    once = sent()
    assert world.send(once).status == 200
    answer = refused(world, once)
    assert (answer.status, answer.code) == (400, "SignatureNonceUsed")
    answer = refused(world, event("POST", "/", {"x-acs-action": "Detail"}))
    assert (answer.status, answer.code) == (400, "IncompleteSignature")
    world.keys.save(replace(world.key, active=False))
    answer = refused(world, sent())
    assert (answer.status, answer.code) == (400, "InvalidAccessKeyId.Inactive")


def test_a_guess_leaves_no_mark_in_the_store(world: World) -> None:
    before = list(world.bucket.keys_after("", ""))
    wrong = replace(world.key, secret="guess")
    world.send(signed_v3(wrong, *DETAIL, world.now, b""))
    assert list(world.bucket.keys_after("", "")) == before


def test_a_key_reaches_its_instances_only(world: World) -> None:
    key = world.add_key(instances=("lab-*",))
    world.create("lab-1")
    assert world.call("Detail", None, {"InstanceName": "lab-1"}, key=key).status == 200
    for instance in ("shop", "none"):  # whether an instance is there is not told either
        answer = world.call("AddImage", {**ADD, "InstanceName": instance}, key=key)
        assert (answer.status, answer.code) == (403, "NoPermission")
    assert answer.json["AccessDeniedDetail"] == {
        "AuthAction": "imagesearch:AddImage",
        "AuthPrincipalType": "AccessKey",
        "NoPermissionType": "ImplicitDeny",
        "PolicyType": "AccessKey",
    }


def test_a_key_that_reads_does_not_write(world: World) -> None:
    world.add("p", 1, PicName="a")
    key = world.add_key(read_only=True)
    assert world.call("SearchImageByName", KEY, key=key).status == 200
    for action, form in (("AddImage", ADD), ("DeleteImage", KEY), ("UpdateImage", KEY)):
        answer = world.call(action, form, key=key)
        assert (answer.status, answer.code) == (403, "NoPermission")
        assert "only read" in answer.message


def test_two_keys_are_valid_at_once(world: World) -> None:
    second = world.add_key(name="next")
    for key in (world.key, second):
        assert world.call("Detail", None, SHOP, key=key).status == 200


def test_a_temporary_key_by_header(world: World) -> None:
    key, token = AccessKey.new(name="t", now=0, expires=int(world.now) + 60, temporary=True)
    world.keys.save(key)

    def sent(token: str) -> Answered:
        more = {"x_acs_accesskey_id": key.id, "x_acs_security_token": token}
        return world.send(signed_v3(key, *DETAIL, world.now, b"", query=QUERY, **more))

    assert sent(token).status == 200
    assert sent("other").code == "InvalidSecurityToken.MismatchWithAccessKey"
    world.now += 61
    assert sent(token).code == "InvalidAccessKeyId.Inactive"
