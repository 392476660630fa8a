"""Signatures are what botocore makes of the same request."""

from __future__ import annotations

import builtins
import sys
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Theirs
from hypothesis import example, given
from hypothesis import strategies as st
from imagesearch_client import AwsSignature, Client, Credentials, NoCredentials
from imagesearch_client.sigv4 import sign

URL = "https://abc.execute-api.eu-west-1.amazonaws.com"
NOW = 1_794_479_400.0
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def theirs(method: str, url: str, body: bytes, ours: Credentials) -> str:
    request = AWSRequest(method, url, data=body, headers={"content-type": "application/json"})
    keys = Theirs(ours.access_key, ours.secret_key, ours.token or None)
    stamp = "20261112T103000Z"

    class Fixed(SigV4Auth):
        def add_auth(self, request: AWSRequest) -> None:
            request.context["timestamp"] = stamp
            self._modify_request_before_signing(request)
            text = self.string_to_sign(request, self.canonical_request(request))
            self._inject_signature_to_request(request, self.signature(text, request))

    Fixed(keys, "execute-api", "eu-west-1").add_auth(request)
    return str(request.headers["Authorization"])


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=st.lists(names, max_size=3),
    query=st.dictionaries(names, names, max_size=4),
    body=st.binary(max_size=40),
    token=st.sampled_from(["", "TOKEN=="]),
)
@example("GET", ["a b%2F", "ü~"], {"b": "2 +", "a": "=&", "aa": "1"}, b"", "T")
def test_any_request_is_signed_as_botocore_signs_it(
    method: str, path: list[str], query: dict[str, str], body: bytes, token: str
) -> None:
    address = URL + "/" + "/".join(quote(name, safe="") for name in path if name not in {".", ".."})
    pairs = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in query.items())
    url = httpx.URL(address + (f"?{pairs}" if pairs else ""))
    keys = Credentials("AKID", "secret", token)
    made = sign(
        method,
        url,
        body,
        content_type="application/json",
        credentials=keys,
        region="eu-west-1",
        now=NOW,
    )
    assert made["x-amz-date"] == "20261112T103000Z"
    assert made["authorization"] == theirs(method, str(url), body, keys)


def test_each_try_is_signed_with_current_credentials() -> None:
    rounds = iter(range(9))
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"].partition("=")[2].partition("/")[0])
        return httpx.Response(503 if len(seen) < 3 else 200, json={"instances": []})

    auth = AwsSignature(lambda: Credentials(f"KEY{next(rounds)}", "secret"), "eu-west-1")
    with Client(URL, auth=auth, transport=httpx.MockTransport(answer)) as client:
        assert client.instances() == []
    assert seen == ["KEY0", "KEY1", "KEY2"]


def test_an_upload_is_not_signed_again() -> None:
    seen: dict[str, bool] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen[request.url.host] = "authorization" in request.headers
        place = {"upload_id": "u", "method": "PUT", "url": "https://bucket/u", "headers": {}}
        return httpx.Response(201, json={**place, "expires_in": 9})

    auth = AwsSignature(Credentials("KEY", "secret"), "eu-west-1")
    with Client(URL, auth=auth, transport=httpx.MockTransport(answer)) as client:
        client.upload(b"x")
    assert seen == {"abc.execute-api.eu-west-1.amazonaws.com": True, "bucket": False}


def test_the_region_is_in_the_address_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_REGION", raising=False)
    AwsSignature.of_address(URL)
    AwsSignature.of_address("https://search.example.com", region="eu-west-1")
    with pytest.raises(NoCredentials, match="AWS_REGION"):
        AwsSignature.of_address("https://search.example.com")


def test_without_credentials_it_is_said_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _: None)
    with pytest.raises(NoCredentials, match="AWS_PROFILE"):
        AwsSignature.of_address(URL)
    real = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("botocore"):
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.delitem(sys.modules, "botocore.session")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NoCredentials, match=r"client\[aws\]"):
        AwsSignature.of_address(URL)
