"""Which operation a request asks for."""

from __future__ import annotations

from dataclasses import dataclass

from imagesearch.contract.fields import Fields
from imagesearch.contract.generation import GENERATIONS, V2018, V2019, Generation
from imagesearch.contract.item_body import parse_item_body
from imagesearch.contract.refusals import UnknownAction
from imagesearch.contract.request import Request
from imagesearch.contract.signature import Claim
from imagesearch.errors import BadRequest, MethodNotAllowed, NoSuchRoute

__all__ = ["Call", "is_upload", "is_vendor_call", "read_call"]

_PATHS = {
    "/v2/image/add": (V2019, "AddImage"),
    "/v2/image/search": (V2019, "SearchImage"),
    "/v2/image/delete": (V2019, "DeleteImage"),
    "/item/add": (V2018, "AddItem"),
    "/item/search": (V2018, "SearchItem"),
    "/item/delete": (V2018, "DeleteItem"),
}
_VERSIONS = {**GENERATIONS, "2018-03-19": V2018}


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of one API version, and its parameters.

    ``items`` are the values of a 2018 body, by key; empty in the other versions.
    """

    generation: Generation
    action: str
    fields: Fields
    items: dict[str, str]


def is_vendor_call(request: Request) -> bool:
    """Tell whether a request is meant for this contract; ``GET /`` may as well ask for a page."""
    return (
        request.method not in {"GET", "HEAD"}
        or request.path != "/"
        or "x-acs-action" in request.headers
        or any(name == "Action" for name, _ in request.query)
    )


def is_upload(request: Request) -> bool:
    """Tell whether the request is a form upload, which is signed by its own policy field."""
    return request.method == "POST" and request.content_type == "multipart/form-data"


def read_call(request: Request, claim: Claim) -> Call:
    """Find the operation by what the signature covers: path, header, or parameter."""
    body = request.form or request.json
    pairs = request.query + body
    if request.path == "/":
        fields = Fields.gather(pairs)
        version, action = _named(request, claim, fields)
        return Call(_generation(version, action), action, fields, {})
    if request.path not in _PATHS:
        raise NoSuchRoute(f"{request.path[:80]!r} is not served here.")
    if request.method != "POST":
        raise MethodNotAllowed(f"{request.path} takes POST, not {request.method[:20]}.")
    generation, action = _PATHS[request.path]
    if generation is V2018:
        named = tuple(("InstanceName", v) for name, v in request.query if name == "instanceName")
        return Call(generation, action, Fields.gather(named), parse_item_body(request.body))
    return Call(generation, action, Fields.gather(pairs), {})


def _named(request: Request, claim: Claim, fields: Fields) -> tuple[str, str]:
    if claim.style == "rpc":
        version, action = fields.get("Version") or "", fields.get("Action") or ""
    else:
        version, action = request.header("x-acs-version"), request.header("x-acs-action")
    if not version or not action:
        raise BadRequest(
            "the request names no Action or no Version.",
            fix="Send x-acs-action and x-acs-version, or Action and Version.",
        )
    return version, action


def _generation(version: str, action: str) -> Generation:
    if version not in _VERSIONS:
        raise UnknownAction(
            f"API version {version[:40]!r} of {action[:40]!r} is not one of {', '.join(_VERSIONS)}."
        )
    return _VERSIONS[version]
