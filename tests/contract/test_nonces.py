"""A request is answered once, whichever function it reaches."""

from dataclasses import replace

import pytest
from imagesearch.contract.nonces import Nonces
from imagesearch.contract.refusals import RepeatedRequest
from imagesearch.contract.signature import Claim

from tests.simulation.bucket import Bucket

CLAIM = Claim(style="v3", key_id="k", signature="abc", time=1000.0, nonce="n-1", token="")


def test_a_nonce_is_taken_once_by_all_functions_together() -> None:
    store = Bucket()
    Nonces(store).spend(CLAIM, 1000.0)
    with pytest.raises(RepeatedRequest) as refused:
        Nonces(store).spend(CLAIM, 1000.0)
    assert refused.value.code == "SignatureNonceUsed"
    with pytest.raises(RepeatedRequest):
        Nonces(store).spend(replace(CLAIM, signature="other", time=1500.0), 1500.0)


def test_another_key_may_use_the_same_nonce() -> None:
    nonces = Nonces(Bucket())
    nonces.spend(CLAIM, 1000.0)
    nonces.spend(replace(CLAIM, key_id="other"), 1000.0)
    nonces.spend(replace(CLAIM, nonce="n-2"), 1000.0)


def test_without_a_nonce_the_same_request_may_come_again_for_five_seconds() -> None:
    nonces = Nonces(Bucket())
    bare = replace(CLAIM, nonce="")
    nonces.spend(bare, 1000.0)
    nonces.spend(bare, 1004.9)
    nonces.spend(replace(bare, signature="def"), 1006.0)
    with pytest.raises(RepeatedRequest):
        nonces.spend(bare, 1005.1)
