"""A small server that answers like the HTTP API, in this process, for tests of the client."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx


@dataclass
class FakeApi:
    """Keeps instances and pictures in memory; ``failures`` are answered first, one a request."""

    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    failures: list[httpx.Response | Exception] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    images: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    params: httpx.QueryParams = field(default_factory=httpx.QueryParams)
    incarnation: int = 0

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return httpx.Response(
                failure.status_code, headers=failure.headers, content=failure.content
            )
        parts = [unquote(part) for part in request.url.raw_path.decode().split("?")[0].split("/")]
        body = json.loads(request.content) if _is_json(request) else {}
        routes: dict[tuple[str, str], Callable[..., httpx.Response]] = {
            ("PUT", "1"): self.create,
            ("GET", "1"): self.show,
            ("DELETE", "1"): self.erase,
            ("GET", "0"): self.list_all,
            ("POST", "pictures"): self.add,
            ("GET", "pictures"): self.list_pictures,
            ("DELETE", "pictures"): self.delete,
            ("POST", "search"): self.search,
            ("PATCH", "pictures"): self.change,
            ("POST", "compare"): self.compare,
        }
        if parts[1:] == ["health", "ready"]:
            return httpx.Response(200, json={"status": "ok"})
        if parts[1:3] == ["v1", "uploads"]:
            return self.start_upload(**body)
        if parts[1] == "bucket":
            self.uploads[parts[2]] = request.content
            return httpx.Response(200)
        kind = parts[4] if len(parts) > 4 else str(len(parts) - 3)
        self.params = request.url.params
        return routes[request.method, kind](*parts[3:4], *parts[5:], **body)

    def create(self, name: str, service: str) -> httpx.Response:
        self.incarnation += 1
        found = self.instances.setdefault(name, instance(name, service, f"{self.incarnation}"))
        if found["service"] != service:
            return problem(409, "InstanceExists", f"instance {name!r} is another.")
        return httpx.Response(201, json=found)

    def show(self, name: str) -> httpx.Response:
        if name not in self.instances:
            return problem(404, "InvalidInstance", f"there is no instance {name!r}.")
        return httpx.Response(200, json=self.instances[name])

    def erase(self, name: str) -> httpx.Response:
        assert self.params["confirm"] == name
        self.instances.pop(name, None)
        return httpx.Response(202, json={"deleted": name})

    def list_all(self) -> httpx.Response:
        return httpx.Response(200, json={"instances": list(self.instances.values())})

    def add(self, name: str, **fields: Any) -> httpx.Response:
        if name not in self.instances:
            return problem(404, "InvalidInstance", f"there is no instance {name!r}.")
        uploaded = self.uploads.get(fields.pop("upload_id", ""))
        image = base64.b64decode(fields.pop("image", "")) if uploaded is None else uploaded
        if image.startswith(b"bad"):
            return problem(400, "UnsupportedPicFormat", "not a picture.")
        record = {"category_id": 88888888, "region": [0, 9, 0, 9], **fields}
        self.pictures[name, fields["product_id"], fields["pic_name"]] = record
        self.images[name, fields["product_id"], fields["pic_name"]] = image
        seen = {**record, "regions": [record["region"]]}
        return httpx.Response(201, json={"picture": seen, "sequence": len(self.pictures)})

    def list_pictures(self, name: str, *key: str) -> httpx.Response:
        if key:
            found = self.pictures.get((name, *key))  # type: ignore[arg-type]
            return httpx.Response(200, json=found) if found else problem(404, "PictureNotFound", "")
        start = int(self.params.get("cursor", 0))
        records = [
            record
            for (owner, product, picture), record in self.pictures.items()
            if owner == name
            and self.params.get("product_id", product) == product
            and self.params.get("pic_name", picture) == picture
        ]
        more = str(start + 2) if start + 2 < len(records) else None
        return httpx.Response(
            200, json={"pictures": records[start : start + 2], "next_cursor": more}
        )

    def change(self, name: str, *key: str, **fields: Any) -> httpx.Response:
        record = self.pictures[(name, *key)]  # type: ignore[index]
        record |= fields
        return httpx.Response(200, json={"picture": record, "sequence": 1})

    def compare(self, _name: str, image: str, other_image: str) -> httpx.Response:
        same = image == other_image
        return httpx.Response(200, json={"score": float(same), "hamming": 0 if same else 256})

    def delete(self, name: str, *key: str) -> httpx.Response:
        doomed = [k for k in self.pictures if k[: len(key) + 1] == (name, *key)]
        for k in doomed:
            del self.pictures[k]
        return httpx.Response(200, json={"deleted": [k[2] for k in doomed], "sequence": 1})

    def search(self, name: str, **fields: Any) -> httpx.Response:
        sure = {"score": 1.0, "relevance": 7.33e24, "hamming": 0, "sort_expr_values": "7.33e24;0"}
        hits = [
            {**sure, **record} for (owner, *_), record in self.pictures.items() if owner == name
        ]
        query: dict[str, Any] = {"category_id": 88888888, "region": [0, 9, 0, 9], "regions": []}
        if "text" in fields:
            query = {"text": fields["text"], "meaning": True}
            hits = [{**hit, "words": 0.5, "meaning": 0.9} for hit in hits]
        found = {
            "hits": hits[: fields.get("num", 10)],
            "query": query,
            "total": len(hits),
            "index": {"generation": 1, "sequence": 1},
            "took_ms": {"total": 1.0},
        }
        return httpx.Response(200, json=found)

    def start_upload(self, content_type: str, size: int) -> httpx.Response:
        assert content_type
        assert size > 0
        name = f"u{len(self.uploads)}"
        place = {"upload_id": name, "method": "PUT", "url": f"http://fake/bucket/{name}"}
        headers = {"content-type": content_type}
        return httpx.Response(201, json={**place, "headers": headers, "expires_in": 900})


def instance(name: str, service: str = "product", created: str = "1") -> dict[str, Any]:
    """Return an instance as the service shows it."""
    counts = {"pictures": 0, "products": 0, "generation": 1, "sequence": 1, "log_length": 0}
    return {"name": name, "service": service, "model": "m-1", "created": created, **counts}


def problem(status: int, code: str, detail: str, **headers: str) -> httpx.Response:
    body = {"status": status, "code": code, "detail": detail or code, "fix": "Do otherwise."}
    kind = {"content-type": "application/problem+json"}
    return httpx.Response(status, json=body, headers={**headers, **kind})


def _is_json(request: httpx.Request) -> bool:
    return request.headers.get("content-type") == "application/json"
