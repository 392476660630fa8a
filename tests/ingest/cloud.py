"""A small cloud that enforces who may do what: S3, STS and IAM as far as a preflight asks them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

HOME = "111111111111"
OTHER = "222222222222"


@dataclass
class Role:
    """A role: the principals it trusts, the external id it asks for, what it may do where."""

    trusts: tuple[str, ...]
    external_id: str
    allows: tuple[tuple[str, str], ...]


@dataclass
class Bucket:
    region: str = "eu-west-1"
    owner: str = OTHER
    objects: dict[str, bytes] = field(default_factory=dict)


class Cloud:
    """``us`` is our own identity's access key; it may do everything in its own account."""

    def __init__(self) -> None:
        self.buckets: dict[str, Bucket] = {}
        self.roles: dict[str, Role] = {}
        self.sessions: dict[str, tuple[Role, dict[str, Any]]] = {}
        self.url = ""

    def assume(self, form: dict[str, str]) -> tuple[int, str]:
        arn = form["RoleArn"]
        role = self.roles.get(arn)
        ours = role is not None and HOME in role.trusts
        if role is None or not ours or role.external_id != form.get("ExternalId"):
            return 403, _sts_error("AccessDenied")
        key = f"ASIA{len(self.sessions):016d}"
        self.sessions[key] = (role, json.loads(form["Policy"]))
        return 200, (
            "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
            f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            "<SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration>"
            "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )

    def identity(self) -> tuple[int, str]:
        return 200, (
            "<GetCallerIdentityResponse><GetCallerIdentityResult>"
            f"<Account>{HOME}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        )

    def get_role(self, form: dict[str, str]) -> tuple[int, str]:
        arn = f"arn:aws:iam::{HOME}:role/{form['RoleName']}"
        if arn not in self.roles:
            return 404, _sts_error("NoSuchEntity")
        return 200, (
            "<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleId>r</RoleId>"
            f"<RoleName>{form['RoleName']}</RoleName><Arn>{arn}</Arn>"
            "<CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>"
        )

    def may(self, key: str, action: str, name: str, path: str) -> bool:
        """Tell whether an access key may do something: role and session policy must agree."""
        if key not in self.sessions:
            return self.buckets[name].owner == HOME
        role, policy = self.sessions[key]
        by_role = any(a == action and fnmatchcase(name + path, w) for a, w in role.allows)
        return by_role and any(
            action in statement["Action"]
            and fnmatchcase(f"arn:aws:s3:::{name}{path}", statement["Resource"])
            for statement in policy["Statement"]
        )


def _sts_error(code: str) -> str:
    return (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message>"
        "</Error><RequestId>r</RequestId></ErrorResponse>"
    )


class _Handler(BaseHTTPRequestHandler):
    cloud: Cloud

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        answers = {
            "AssumeRole": lambda: self.cloud.assume(form),
            "GetCallerIdentity": self.cloud.identity,
            "GetRole": lambda: self.cloud.get_role(form),
        }
        self._answer(*answers[form["Action"]]())

    def do_HEAD(self) -> None:
        self._s3()

    def do_GET(self) -> None:
        self._s3()

    def _s3(self) -> None:
        parts = urlsplit(self.path)
        name, _, key = unquote(parts.path).lstrip("/").partition("/")
        match = re.search(r"Credential=([^/]+)/", self.headers.get("authorization", ""))
        who = match[1] if match else ""
        bucket = self.cloud.buckets.get(name)
        if bucket is None:
            self._answer(404, "<Error><Code>NoSuchBucket</Code></Error>")
            return
        owner = self.headers.get("x-amz-expected-bucket-owner", bucket.owner)
        action = "s3:GetObject" if key else "s3:ListBucket"
        allowed = self.cloud.may(who, action, name, f"/{key}" if key else "")
        region = {"x-amz-bucket-region": bucket.region}
        if owner != bucket.owner or not allowed:
            self._answer(403, "<Error><Code>AccessDenied</Code></Error>", region)
        elif key:
            self._object(bucket, key)
        else:
            self._listing(bucket, parse_qs(parts.query), region)

    def _listing(self, bucket: Bucket, query: dict[str, list[str]], region: dict[str, str]) -> None:
        prefix = query.get("prefix", [""])[0]
        found = [key for key in bucket.objects if key.startswith(prefix)][:1]
        rows = "".join(
            f"<Contents><Key>{key}</Key><Size>1</Size><ETag>e</ETag>"
            "<LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
            for key in found
        )
        body = f"<ListBucketResult><KeyCount>{len(found)}</KeyCount>{rows}</ListBucketResult>"
        self._answer(200, body, region)

    def _object(self, bucket: Bucket, key: str) -> None:
        if key not in bucket.objects:
            self._answer(404, "<Error><Code>NoSuchKey</Code></Error>")
            return
        body, status = bucket.objects[key], 200
        if found := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", "")):
            body, status = body[int(found[1]) : int(found[2]) + 1], 206
        more = {"etag": '"e"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        self._answer(status, body, more)

    def _answer(
        self, status: int, body: str | bytes, headers: dict[str, str] | None = None
    ) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


@contextmanager
def running() -> Iterator[Cloud]:
    """Run a cloud on the loopback interface."""
    cloud = Cloud()
    handler = type("Handler", (_Handler,), {"cloud": cloud})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    cloud.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
