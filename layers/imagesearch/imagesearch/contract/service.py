"""The contract's door: one event in, one answer of the vendor's form out."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from imagesearch.contract import console, images, increments, items, uploads
from imagesearch.contract.call import Caller, Operation
from imagesearch.contract.dispatch import Call, is_upload, is_vendor_call, read_call
from imagesearch.contract.faults import fault_of
from imagesearch.contract.generation import (
    PLATFORM,
    V2018,
    V2019,
    V2020,
    V2020_12,
    Generation,
)
from imagesearch.contract.key_sources import key_source
from imagesearch.contract.keys import AccessKey, KeyRing
from imagesearch.contract.multipart import parse_form
from imagesearch.contract.nonces import Nonces
from imagesearch.contract.refusals import NotPermitted, UnknownAction, UploadTaken
from imagesearch.contract.request import Request
from imagesearch.contract.signature import authenticate
from imagesearch.errors import ImageSearchError, NoSuchRoute, PictureExists, TooManyRequests
from imagesearch.limits import Gauge
from imagesearch.observe import logger
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.receive_upload import receive_upload
from imagesearch.operations.workshop import Buckets

__all__ = ["OPERATIONS", "Contract", "Handler"]

Handler = Callable[[Mapping[str, Any], object], dict[str, Any]]
"""What Lambda calls: an event and its context in, an answer out."""


def _authorize_file_upload(caller: Caller) -> Mapping[str, Any]:
    return uploads.authorize(caller.key, caller.host, caller.now)


_PICTURES = {
    "AddImage": Operation(images.add, writes=True, spends="adds"),
    "DeleteImage": Operation(images.delete, writes=True),
    "SearchImageByPic": Operation(images.search_by_pic, spends="searches"),
    "SearchImageByName": Operation(images.search_by_name, spends="searches"),
}
OPERATIONS: Mapping[Generation, Mapping[str, Operation]] = {
    V2020_12: {
        **_PICTURES,
        "UpdateImage": Operation(images.update, writes=True),
        "SearchImageByText": Operation(images.search_by_text, spends="searches"),
        "SearchImageByFilter": Operation(images.search_by_filter, spends="searches"),
        "CheckImageExists": Operation(images.exists),
        "CompareSimilarByImage": Operation(images.compare_similar, spends="searches"),
        "Detail": Operation(console.detail),
        "DumpMeta": Operation(console.dump_meta),
        "DumpMetaList": Operation(console.dump_meta_list),
        "IncreaseInstance": Operation(increments.increase, writes=True),
        "IncreaseList": Operation(increments.increase_list),
    },
    V2020: _PICTURES,
    V2019: {
        "AddImage": _PICTURES["AddImage"],
        "SearchImage": Operation(images.search_by_type, spends="searches"),
        "DeleteImage": _PICTURES["DeleteImage"],
    },
    V2018: {
        "AddItem": Operation(items.add, writes=True, spends="adds"),
        "SearchItem": Operation(items.search_item, spends="searches"),
        "DeleteItem": Operation(items.delete, writes=True),
    },
    PLATFORM: {"AuthorizeFileUpload": Operation(_authorize_file_upload, instance=False)},
}
"""What is served, by API version and action."""


class Contract:
    """The Lambda handler of the vendor's API.

    ``upload_host`` is the host name under which pictures can be uploaded; empty means the one
    by which the service is called. ``buckets`` opens those of batch tasks, for tests. ``otherwise``
    answers requests that no SDK sends: somebody at ``/`` with a browser.
    """

    def __init__(
        self,
        deployment: Deployment,
        keys: KeyRing,
        *,
        region: str,
        upload_host: str = "",
        clock: Callable[[], float] = time.time,
        buckets: Buckets | None = None,
        otherwise: Handler | None = None,
    ) -> None:
        self._deployment, self._keys, self._otherwise = deployment, keys, otherwise
        self._region, self._upload_host, self._clock = region, upload_host, clock
        self._nonces, self._buckets = Nonces(deployment.store), buckets
        self._gauge = Gauge(clock)

    @classmethod
    def from_environment(cls, *, otherwise: Handler | None = None) -> Contract:
        """Open the deployment that the environment variables describe."""
        return cls(
            Deployment.from_environment(),
            KeyRing(key_source(os.environ["IMAGESEARCH_KEYS"])),
            region=os.environ.get("AWS_REGION", ""),
            upload_host=os.environ.get("IMAGESEARCH_UPLOAD_HOST", ""),
            otherwise=otherwise,
        )

    def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """Answer one event; never raises."""
        began = time.perf_counter()
        request_id = event.get("requestContext", {}).get("requestId") or str(uuid.uuid4())
        answer = _Answer(request_id, (event.get("headers") or {}).get("host", ""))
        logger().append_keys(request_id=request_id)
        try:
            request = Request.from_event(event)
            if not is_vendor_call(request):
                if self._otherwise:
                    return self._otherwise(event, context)
                raise NoSuchRoute("there is no page here, only the API of the vendor's SDKs.")
            if is_upload(request):
                payload = self._upload(request, answer)
            else:
                payload = self._serve(request, answer)
        except ImageSearchError as error:
            payload = answer.fault(error)
        except Exception:
            logger().exception("unexpected failure")
            payload = answer.fault(ImageSearchError())
        spent = (time.perf_counter() - began) * 1000
        logger().info(
            "answered",
            extra={"action": answer.name, "status": payload["statusCode"], "ms": round(spent, 1)},
        )
        return payload

    def _serve(self, request: Request, answer: _Answer) -> dict[str, Any]:
        now = self._clock()
        claim, key = authenticate(request, self._keys, now)
        call = answer.call = read_call(request, claim)
        operation = OPERATIONS[call.generation].get(call.action)
        if operation is None:
            raise UnknownAction(
                f"API version {call.generation.version} has no operation {call.action[:40]!r}."
            )
        if operation.instance:
            _permit(key, call, operation)
        if operation.spends:
            self._gauge.take(key.id, operation.spends, key.limits)
        self._nonces.spend(claim, now)
        caller = Caller(
            self._deployment, key, call, self._host(request), self._region, now, self._buckets
        )
        body = operation.answer(caller)
        caller.spend_uploads()
        return answer.json(200, {"RequestId": answer.request_id, **body})

    def _upload(self, request: Request, answer: _Answer) -> dict[str, Any]:
        answer.xml_wanted = True
        form = parse_form(request.header("content-type"), request.body)
        accepted = uploads.accept(form, self._keys, self._clock())
        try:
            receive_upload(self._deployment, accepted.upload_id, accepted.file)
        except PictureExists:
            raise UploadTaken("another file was sent with this form before.") from None
        bucket, _, _ = request.header("host").partition(".")
        return answer.xml(
            201,
            "PostResponse",
            {
                "Bucket": bucket,
                "Location": f"http://{request.header('host')}/{accepted.object_key}",
                "Key": accepted.object_key,
            },
        )

    def _host(self, request: Request) -> str:
        """Return the host for uploads; one without a dot cannot be cut into bucket and endpoint."""
        host = self._upload_host or request.header("host")
        name, colon, port = host.partition(":")
        return f"127.0.0.1{colon}{port}" if name == "localhost" else host


def _permit(key: AccessKey, call: Call, operation: Operation) -> None:
    instance = call.fields.instance
    if not key.reaches(instance):
        raise NotPermitted(f"access key {key.id!r} may not use instance {instance[:40]!r}.")
    if operation.writes and key.read_only:
        raise NotPermitted(f"access key {key.id!r} may only read.")


class _Answer:
    """How one request is answered; what is known of it grows while it is understood."""

    def __init__(self, request_id: str, host: str) -> None:
        self.request_id, self._host_id = request_id, host
        self.call: Call | None = None
        self.xml_wanted = False

    @property
    def name(self) -> str:
        """Return the action for the log."""
        return self.call.action[:40] if self.call else "PostObject" if self.xml_wanted else ""

    def fault(self, error: ImageSearchError) -> dict[str, Any]:
        """Answer a failure; never with status 200, never in HTML."""
        generation = self.call.generation if self.call else None
        fault = fault_of(error, generation, self.name)
        log = logger().error if fault.status >= 500 else logger().info
        log("refused", extra={"code": fault.code, "detail": error.detail})
        known = {"HostId": self._host_id, "Code": fault.code, "Message": fault.message}
        wait = str(error.seconds) if isinstance(error, TooManyRequests) else "1"
        passing = fault.status == 503 or isinstance(error, TooManyRequests)
        headers = {"x-acs-retry-after": wait, "retry-after": wait} if passing else {}
        if self.xml_wanted:
            return self.xml(fault.status, "Error", {"RequestId": self.request_id, **known})
        body = {"RequestId": self.request_id, **known, **self._denial(error)}
        return self.json(fault.status, body, headers)

    def _denial(self, error: ImageSearchError) -> dict[str, Any]:
        if not isinstance(error, NotPermitted) or self.call is None:
            return {}
        detail = {
            "AuthAction": f"imagesearch:{self.call.action}",
            "AuthPrincipalType": "AccessKey",
            "NoPermissionType": "ImplicitDeny",
            "PolicyType": "AccessKey",
        }
        return {"AccessDeniedDetail": detail}

    def json(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Answer with JSON."""
        kind = "application/json;charset=utf-8"
        return self._payload(status, kind, msgspec.json.encode(body).decode(), headers or {})

    def xml(self, status: int, root: str, values: Mapping[str, str]) -> dict[str, Any]:
        """Answer with the small documents of the upload service."""
        inner = "".join(f"<{name}>{_escaped(value)}</{name}>" for name, value in values.items())
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{inner}</{root}>'
        return self._payload(status, "application/xml", text, {})

    def _payload(
        self, status: int, kind: str, body: str, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        return {
            "statusCode": status,
            "headers": {
                "content-type": kind,
                "cache-control": "no-store",
                "x-content-type-options": "nosniff",
                "x-acs-request-id": self.request_id,
                "x-request-id": self.request_id,
                **headers,
            },
            "body": body,
        }


def _escaped(text: str) -> str:
    """Escape for XML; the standard library's way costs a cold start 30 ms."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
