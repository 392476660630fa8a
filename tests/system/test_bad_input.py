"""Every bad input has its own code, a sentence with limit and value, and leaves nothing behind."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.pictures import as_bytes, drawn

pytestmark = pytest.mark.system

GOOD = as_bytes(drawn(1))


def base64_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def bomb() -> bytes:
    """A PNG whose header promises 50,000 × 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def add_body(**overrides: Any) -> dict[str, Any]:
    body = {"product_id": "bad", "pic_name": "x", "image": base64_of(GOOD), **overrides}
    return {name: value for name, value in body.items() if value is not None}


NO_PICTURE = base64_of(b"hello, this is text")
SVG = base64_of(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
HALF = base64_of(GOOD[: len(GOOD) // 2])
NARROW = base64_of(as_bytes(drawn(1, size=(31, 100))))
WIDE = base64_of(as_bytes(Image.new("L", (8193, 40)), "PNG"))
BOMB = base64_of(bomb())

BAD = {
    "not an image": (add_body(image=NO_PICTURE), "UnsupportedPicFormat", "PNG"),
    "svg": (add_body(image=SVG), "UnsupportedPicFormat", ""),
    "truncated": (add_body(image=HALF), "DamagedPicContent", ""),
    "bomb": (add_body(image=BOMB), "PicPixelsOverflow", "50"),
    "too small": (add_body(image=NARROW), "UnsupportedPicPixels", "31"),
    "too wide": (add_body(image=WIDE), "UnsupportedPicPixels", "8193"),
    "no picture": (add_body(image=None), "NoSpecifiedPicContent", "image"),
    "no product": (add_body(product_id=None), "NoSpecifiedProductId", "product_id"),
    "no name": (add_body(pic_name=None), "NoSpecifiedPicName", "pic_name"),
    "long product": (add_body(product_id="x" * 257), "InvalidProductId", "257"),
    "long text": (add_body(str_attr="x" * 129), "InvalidStrAttr", "129"),
    "long content": (add_body(custom_content="x" * 4097), "InvalidCustomContent", "4097"),
    "wide number": (add_body(int_attr=2**40), "InvalidIntAttr", str(2**40)),
    "region outside": (add_body(region="0,161,0,50"), "InvalidRegion", "160"),
    "region without area": (add_body(region="10,10,0,50"), "InvalidRegion", "10,10,0,50"),
    "region reversed": (add_body(region=[50, 10, 0, 50]), "InvalidRegion", "50,10"),
    "region of words": (add_body(region="a,b,c,d"), "InvalidRegion", "a,b,c,d"),
    "category": (add_body(category_id=10), "InvalidCategory", "10"),
    "not base64": (add_body(image="§§§"), "InvalidBase64", "image"),
    "unknown field": (add_body(colour="red"), "UnknownField", "colour"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_add_is_refused_with_its_own_code(
    client: httpx.Client, instance: str, name: str
) -> None:
    body, code, word = BAD[name]
    answer = client.post(f"/v1/instances/{instance}/pictures", json=body)
    problem = answer.json()
    assert 400 <= answer.status_code < 500, problem
    assert (problem["code"], problem["status"]) == (code, answer.status_code)
    assert word in problem["detail"] + problem["fix"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get(f"/v1/instances/{instance}").json()["pictures"] == 0


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_unknown_instance(client: httpx.Client) -> None:
    for path in ("/v1/instances/nobody/pictures", "/v1/instances/nobody/search"):
        assert refused(client.post(path, json=add_body() | {})) in [
            (404, "InvalidInstance"),
            (400, "UnknownField"),
        ]
    assert refused(client.get("/v1/instances/nobody")) == (404, "InvalidInstance")
    assert refused(client.get("/v1/instances/No%20Body")) == (400, "InvalidInstanceName")


def test_a_wrong_content_type(client: httpx.Client, instance: str) -> None:
    path = f"/v1/instances/{instance}/search"
    form = client.post(path, content=b"a=1", headers={"content-type": "text/plain"})
    assert refused(form) == (415, "UnsupportedContentType")
    assert refused(
        client.post(path, content=b"{", headers={"content-type": "application/json"})
    ) == (
        400,
        "InvalidJson",
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"num": 101}, "OverflowMaxReturnNum"),
        ({"num": 0}, "InvalidNumParameter"),
        ({"start": -1}, "InvalidStartParameter"),
        ({"start": 450, "num": 60}, "OverflowMaxResultNum"),
        ({"score_threshold": 2}, "InvalidField"),
        ({"filter": "int_attr >"}, "InvalidFilterClause"),
    ],
)
def test_a_bad_search(
    client: httpx.Client, instance: str, fields: dict[str, Any], code: str
) -> None:
    body = {"image": base64_of(GOOD), **fields}
    answer = client.post(f"/v1/instances/{instance}/search", json=body)
    assert refused(answer) == (400, code)


@pytest.mark.parametrize("size", [8 * 1024 * 1024 + 1, 6 * 1024 * 1024])
def test_a_body_that_is_too_large_names_the_upload_route(
    client: httpx.Client, instance: str, size: int
) -> None:
    answer = client.post(
        f"/v1/instances/{instance}/search",
        content=bytes(size),
        headers={"content-type": "image/png"},
    )
    assert refused(answer) == (413, "RequestBodyTooLarge")
    assert "/v1/uploads" in answer.json()["fix"]


def test_an_unknown_route_and_method(client: httpx.Client) -> None:
    assert client.get("/v2/nothing").status_code == 404
    assert client.put("/v1/uploads").status_code in (404, 405)


def save(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def rotated_by_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return save(drawn(1).rotate(90, expand=True), "JPEG", exif=exif, quality=95)


ODD = {
    "exif": rotated_by_exif(),
    "16 bit": save(drawn(1).convert("I").point(lambda v: v * 257).convert("I;16"), "PNG"),
    "cmyk": save(drawn(1).convert("CMYK"), "JPEG"),
    "palette with alpha": save(drawn(1).convert("RGBA").quantize(64), "PNG"),
    "animated": save(drawn(1), "GIF", save_all=True, append_images=[drawn(2), drawn(3)]),
    "bmp": save(drawn(1), "BMP"),
    "webp": save(drawn(1), "WEBP"),
    "tiff": save(drawn(1), "TIFF"),
    "ppm": save(drawn(1), "PPM"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_picture_is_understood(client: httpx.Client, instance: str, name: str) -> None:
    path = f"/v1/instances/{instance}"
    image = base64_of(ODD[name])
    body = {"product_id": "odd", "pic_name": name, "image": image, "crop": False, "category_id": 5}
    added = client.post(f"{path}/pictures", json=body)
    assert added.status_code == 201, added.text
    assert added.json()["picture"]["region"] == [0, 160, 0, 120]
    plain = {"image": base64_of(save(drawn(1), "PNG")), "crop": False, "category_id": 5}
    hit = client.post(f"{path}/search", json=plain).json()["hits"][0]
    assert hit["score"] > (0.5 if name == "16 bit" else 0.8)
