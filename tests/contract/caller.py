"""A deployment in memory behind the contract, and a caller that signs by itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
from imagesearch.catalogue import Region, Service
from imagesearch.contract.keys import AccessKey, KeyRing
from imagesearch.contract.service import Contract
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.settings import Settings
from imagesearch.vision import Reasons, View
from PIL import Image

from tests.contract.wire import Keys, event
from tests.ingest.yard import Bucket as Source
from tests.ingest.yard import Buckets
from tests.pictures import as_bytes, drawn
from tests.simulation.bucket import Bucket

HOST = "search.example.com"


class Thumbnails:
    """A vision that compares thumbnails, and takes every picture for a bag."""

    model = "thumbnails-1"
    meaning = None

    def warm(self) -> None:
        """There is nothing to load."""

    def probability(self, _service: Service, _cosine: float) -> float | None:
        """There is no calibration."""
        return None

    def reasons(self, *_given: Any, cells: int = 7, **_more: Any) -> Reasons:
        """Nothing rests anywhere."""
        return Reasons(Region(0, 9, 0, 9), 1.0, np.zeros((cells, cells), np.float32))

    def look(
        self,
        image: bytes,
        service: Service,
        *,
        region: Region | None = None,
        crop: bool = True,
        category_id: int | None = None,
        **_more: Any,
    ) -> View:
        picture = Image.open(io.BytesIO(image)).convert("L")
        whole = Region.whole(*picture.size)
        middle = Region(10, picture.width - 10, 10, picture.height - 10)
        used = whole if not crop or not service.crops else region or middle
        used.within(*picture.size)
        small = picture.crop((used.x1, used.y1, used.x2, used.y2)).resize((32, 16))
        vector = np.asarray(small, np.float32).ravel() - 127.5
        category = 3 if category_id is None else category_id
        return View(
            width=picture.width,
            height=picture.height,
            region=used,
            regions=(used, Region(0, 20, 0, 20)),
            category_id=category if service.has_categories else 88888888,
            vector=vector / np.linalg.norm(vector),
            took_ms={"decode": 1.0, "subject": 2.0, "embed": 3.0},
        )


def picture(seed: int, *, size: tuple[int, int] = (160, 120), kind: str = "JPEG") -> bytes:
    return as_bytes(drawn(seed, size=size), kind)


def text(image: bytes) -> str:
    return base64.b64encode(image).decode()


@dataclass
class Answered:
    """An answer, read."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> Any:
        return self.json["Code"]

    @property
    def message(self) -> str:
        return str(self.json.get("Message") or self.json.get("Msg"))


@dataclass
class World:
    """The contract on a bucket in memory, its keys, and what a caller does."""

    folder: Path
    bucket: Bucket = field(default_factory=Bucket)
    keys: Keys = field(default_factory=Keys)
    source: Source = field(default_factory=lambda: Source({}))
    now: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.key = self.add_key(name="main")
        settings = Settings(bucket="b", cache=self.folder)
        self.deployment = Deployment(settings, self.bucket, vision=Thumbnails)
        self.contract = Contract(
            self.deployment,
            KeyRing(self.keys, keep=0, look_again=0),
            region="eu-west-1",
            clock=lambda: self.now,
            buckets=Buckets(self.source),  # type: ignore[arg-type]
        )
        self.create("shop")

    def create(self, name: str, service: Service = Service.PRODUCT) -> None:
        create_instance(self.deployment, CreateInstance(instance=name, service=service))

    def add_key(self, **about: Any) -> AccessKey:
        key, _ = AccessKey.new(**{"name": "k", "now": int(self.now), **about})
        self.keys.save(key)
        return key

    def send(self, sent: dict[str, Any]) -> Answered:
        answer = self.contract(sent, None)
        return Answered(answer["statusCode"], answer["headers"], answer["body"])

    def call(
        self,
        action: str,
        form: dict[str, Any] | str | None = None,
        query: dict[str, Any] | None = None,
        *,
        version: str = "2020-12-14",
        key: AccessKey | None = None,
        path: str = "/",
        method: str = "POST",
        kind: str = "application/x-www-form-urlencoded",
    ) -> Answered:
        """Call with an ACS3 signature."""
        body = form if isinstance(form, str) else urlencode(form or {})
        return self.send(
            signed_v3(
                key or self.key,
                action,
                version,
                self.now,
                body.encode(),
                query=urlencode(query or {}),
                path=path,
                method=method,
                kind=kind,
            )
        )

    def call_rpc(self, action: str, version: str, form: dict[str, Any]) -> Answered:
        """Call with an RPC signature."""
        return self.send(signed_rpc(self.key, action, version, self.now, form))

    def call_item(self, operation: str, values: dict[str, str], instance: str = "shop") -> Answered:
        """Call version 2018-01-20, whose body is meta^content, with a ROA signature."""
        return self.send(signed_item(self.key, operation, instance, self.now, values))

    def add(self, product: str, seed: int, **more: Any) -> Answered:
        fields = {"PicName": "a.jpg", "PicContent": text(picture(seed)), **more}
        return self.call("AddImage", {"InstanceName": "shop", "ProductId": product, **fields})


def signed_v3(
    key: AccessKey,
    action: str,
    version: str,
    now: float,
    body: bytes,
    *,
    query: str = "",
    path: str = "/",
    method: str = "POST",
    kind: str = "application/x-www-form-urlencoded",
    **more: str,
) -> dict[str, Any]:
    """Sign as the current SDKs do; ``more`` are further headers, with ``_`` for ``-``."""
    headers = {
        "host": HOST,
        "user-agent": "test",
        "x-acs-action": action,
        "x-acs-version": version,
        "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "x-acs-signature-nonce": uuid.uuid4().hex,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        **({"content-type": kind} if body else {}),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    names = sorted(headers)
    pairs = sorted(part.partition("=") for part in query.replace("+", "%20").split("&") if part)
    canonical = "\n".join(
        [
            method,
            path,
            "&".join(f"{name}={value}" for name, _, value in pairs),
            "".join(f"{name}:{headers[name]}\n" for name in names),
            ";".join(names),
            headers["x-acs-content-sha256"],
        ]
    )
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={key.id},SignedHeaders={';'.join(names)},"
        f"Signature={signature}"
    )
    return event(method, f"{path}?{query}" if query else path, headers, body)


def signed_rpc(
    key: AccessKey, action: str, version: str, now: float, form: dict[str, Any]
) -> dict[str, Any]:
    """Sign as the SDKs of 2020 do."""
    query = {
        "Action": action,
        "Version": version,
        "Format": "json",
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "SignatureNonce": uuid.uuid4().hex,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "AccessKeyId": key.id,
    }
    every = {**query, **{name: str(value) for name, value in form.items()}}
    listed = "&".join(f"{quote(n, safe='~')}={quote(every[n], safe='~')}" for n in sorted(every))
    text = f"POST&%2F&{quote(listed, safe='~')}"
    digest = hmac.new(f"{key.secret}&".encode(), text.encode(), hashlib.sha1).digest()
    query["Signature"] = base64.b64encode(digest).decode()
    headers = {"host": HOST, "content-type": "application/x-www-form-urlencoded"}
    return event("POST", f"/?{urlencode(query)}", headers, urlencode(form).encode())


def signed_item(
    key: AccessKey, operation: str, instance: str, now: float, values: dict[str, str]
) -> dict[str, Any]:
    """Build a body and sign it as the SDK of 2018 does."""
    entries, content = [], ""
    for name, value in values.items():
        entries.append(f"{name},{len(content.encode())},{len((content + value).encode())}")
        content += value
    body = f"{'#'.join(entries)}^{content}".encode()
    headers = {
        "accept": "application/json",
        "content-md5": base64.b64encode(hashlib.md5(body).digest()).decode(),
        "content-type": "application/octet-stream",
        "date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now)),
        "x-acs-signature-method": "HMAC-SHA1",
        "x-acs-version": "2018-01-20",
        "x-acs-signature-nonce": uuid.uuid4().hex,
        "host": HOST,
    }
    plain = [headers[n] for n in ("accept", "content-md5", "content-type", "date")]
    acs = [f"{n}:{headers[n]}" for n in sorted(headers) if n.startswith("x-acs-")]
    target = f"/item/{operation}?instanceName={instance}"
    text = "\n".join(["POST", *plain, *acs, target])
    digest = hmac.new(key.secret.encode(), text.encode(), hashlib.sha1).digest()
    headers["authorization"] = f"acs {key.id}:{base64.b64encode(digest).decode()}"
    return event("POST", target, headers, body)


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return an answer without some of its fields."""
    return {name: value for name, value in body.items() if name not in names}
