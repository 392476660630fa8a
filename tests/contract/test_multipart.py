"""The upload form: what the SDKs send is read; what is broken is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.contract.multipart import parse_form
from imagesearch.contract.refusals import MalformedForm

from tests.contract.wire import VECTORS

KIND = "multipart/form-data; boundary=05687293920770"


@pytest.mark.parametrize("kind", ["4.4.0.adv.add.201xml.oss", "3.1.1.adv.add.oss"])
def test_a_real_upload(kind: str) -> None:
    sent = VECTORS[f"py20201214-{kind}"]
    form = parse_form(sent.headers["content-type"], sent.body)
    assert form.fields["OSSAccessKeyId"] == "OSSAK"
    assert form.fields["policy"] == "eyJwb2xpY3kiOjF9"
    assert form.fields["success_action_status"] == "201"
    assert form.file.startswith((b"\xff\xd8\xff", b"IMGBYTES"))


def built(*parts: tuple[str, bytes], end: bytes = b"--\r\n") -> bytes:
    body = b"".join(
        b'--05687293920770\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.encode(), content)
        for name, content in parts
    )
    return body + b"--05687293920770" + end


@given(st.binary(max_size=300).filter(lambda b: b"--05687293920770" not in b))
def test_the_file_is_kept_byte_for_byte(file: bytes) -> None:
    assert parse_form(KIND, built(("key", b"k"), ("file", file))).file == file


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(MalformedForm):
        parse_form(KIND, body)


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("multipart/form-data", built(("file", b"x")), "no boundary"),
        (KIND, built(("key", b"x")), "no file"),
        (KIND, built(("key", b"x"), ("key", b"y"), ("file", b"z")), "'key' twice"),
        (KIND, built(("file", b"x"), ("file", b"y")), "'file' twice"),
        (KIND, built(("file", b"x"), end=b"\r\n"), "begin and end"),
        (KIND, b"junk\r\n" + built(("file", b"x")), "begin and end"),
        (KIND, built(("key", b"\xff"), ("file", b"x")), "'key' is not UTF-8"),
        (KIND, built(*((f"f{n}", b"x") for n in range(40))), "begin and end"),
    ],
)
def test_a_broken_form_is_refused(kind: str, body: bytes, says: str) -> None:
    with pytest.raises(MalformedForm, match=says):
        parse_form(kind, body)


def test_a_quoted_boundary_is_taken() -> None:
    assert parse_form(f'{KIND[:30]}"05687293920770"', built(("file", b"x"))).file == b"x"
