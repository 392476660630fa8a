"""Serve the page's files: the document at ``/``, all else below ``/page/{version}/``.

The version is a digest of every file, so a file's address changes with its content and a browser
may keep it for ever; only the document is asked for again.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

from imagesearch.errors import NoSuchRoute
from imagesearch.http import Answer, Api, Request
from imagesearch.page.bundle import joined
from imagesearch.settings import Settings

__all__ = ["CONTENT_SECURITY_POLICY", "Page"]

FILES = Path(__file__).parent / "files"
DOCUMENT = "index.html"
ENTRY = "main.js"
STYLES = ("base.css", "parts.css", "views.css")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""No script or style but the page's own files, none of them inline, nothing from elsewhere."""

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PLAIN = {".html", ".jpg", ".svg"}
_GUARDS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


class Page:
    """The page of one deployment; nothing is served where it is switched off."""

    def __init__(self, settings: Settings, *, folder: Path = FILES) -> None:
        """Serve what is in ``folder``, if ``settings.page`` says so."""
        self._settings = settings
        self._folder = folder

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Return every file by name: scripts joined into one, styles into another."""
        found = {path.name: path.read_bytes() for path in sorted(self._folder.iterdir())}
        modules = {n: body.decode() for n, body in found.items() if n.endswith(".js")}
        styles = [found[name] for name in STYLES if name in found]
        plain = {n: body for n, body in found.items() if Path(n).suffix in _PLAIN}
        return {
            "app.css": b"".join(styles),
            "app.js": joined(modules, ENTRY).encode() if ENTRY in modules else b"",
            **plain,
        }

    @cached_property
    def version(self) -> str:
        """Return 16 hex digits that change when any file does."""
        digest = hashlib.sha256()
        for name, body in sorted(self.files.items()):
            digest.update(f"{name} {len(body)} ".encode() + body)
        return digest.hexdigest()[:16]

    def front(self) -> Api:
        """Return the handler of ``GET /``."""
        api = Api()
        api.route("GET /")(self.document)
        return api

    def document(self, request: Request) -> Answer:
        """Answer the document, which names the version of the other files."""
        self._check_switched_on()
        text = self.files[DOCUMENT].decode().replace("{{version}}", self.version)
        text = text.replace("{{authorization}}", self._settings.authorization)
        return _answer(request, DOCUMENT, text.encode(), _ASK_AGAIN)

    def file(self, request: Request) -> Answer:
        """Answer the file that the path parameters ``version`` and ``file`` name.

        A page that was loaded before the last deployment asks for a version of old: it gets the
        file as it is now, not to be kept.
        """
        self._check_switched_on()
        name = request.path_parameters.get("file", "")
        body = self.files.get(name)
        if body is None or name == DOCUMENT:
            raise NoSuchRoute(f"the page has no file {name[:80]!r}.")
        current = request.path_parameters.get("version") == self.version
        return _answer(request, name, body, _FOR_EVER if current else _ASK_AGAIN)

    def _check_switched_on(self) -> None:
        if not self._settings.page:
            raise NoSuchRoute(
                "the page is switched off in this deployment.",
                fix="Deploy with Page=enabled, or use the API.",
            )


def _answer(request: Request, name: str, body: bytes, keep: str) -> Answer:
    """Answer a file, or that the caller's copy of it is still good."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "content-type": _KINDS[Path(name).suffix],
        "cache-control": keep,
        "etag": etag,
        **_GUARDS,
    }
    known = request.headers.get("if-none-match", "").replace("W/", "")
    if etag in (one.strip() for one in known.split(",")):
        return Answer(b"", status=304, headers=headers)
    return Answer(body, headers=headers)
