"""The page's files: what is served, what may be kept, what the browser is told to forbid."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from imagesearch.http import Api
from imagesearch.page import Page
from imagesearch.page.bundle import joined
from imagesearch.page.serving import CONTENT_SECURITY_POLICY, FILES
from imagesearch.settings import Settings

SERVED = sorted({*Page(Settings(bucket="b")).files} - {"index.html"})


def page(**settings: Any) -> Page:
    return Page(Settings(bucket="b", **settings))


def ask(shown: Page, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    api = shown.front()
    api.route("GET /page/{version}/{file}")(shown.file)
    return call(api, path, headers or {})


def call(api: Api, path: str, headers: dict[str, str]) -> dict[str, Any]:
    _, *parts = path.split("/", 3)
    inside = {"version": parts[1], "file": parts[2]} if len(parts) == 3 else {}
    route = "GET /page/{version}/{file}" if inside else f"GET {path}"
    event = {"routeKey": route, "rawPath": path, "headers": headers, "pathParameters": inside}
    return api(event, None)


def body(answer: dict[str, Any]) -> bytes:
    return base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else b""


def test_the_document_names_the_version_and_how_to_prove_who_calls() -> None:
    shown = page(authorization="keys")
    answer = ask(shown, "/")
    text = body(answer).decode()
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert answer["headers"]["cache-control"] == "no-cache"
    assert 'data-authorization="keys"' in text
    assert f"page/{shown.version}/app.js" in text
    assert "{{" not in text


@pytest.mark.parametrize("name", SERVED)
def test_files_are_kept_for_good_under_their_version(name: str) -> None:
    shown = page()
    answer = ask(shown, f"/page/{shown.version}/{name}")
    assert answer["statusCode"] == 200
    assert body(answer) == shown.files[name]
    assert "immutable" in answer["headers"]["cache-control"]
    assert answer["headers"]["x-content-type-options"] == "nosniff"
    assert answer["headers"]["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_a_file_of_an_earlier_version_is_not_kept() -> None:
    answer = ask(page(), "/page/0000000000000000/app.js")
    assert answer["statusCode"] == 200
    assert answer["headers"]["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/page/x/app.js"])
def test_what_the_browser_has_is_not_sent_again(path: str) -> None:
    etag = ask(page(), path)["headers"]["etag"]
    for known in (etag, f'"other", W/{etag}'):
        answer = ask(page(), path, {"if-none-match": known})
        assert (answer["statusCode"], answer["body"]) == (304, "")
    assert ask(page(), path, {"if-none-match": '"other"'})["statusCode"] == 200


@pytest.mark.parametrize(
    "name",
    ["none.js", "main.js", "index.html", "CREDITS.md", "../serving.py", "..", ".", "", "a\0.js"],
)
def test_nothing_but_the_files_is_served(name: str) -> None:
    answer = ask(page(), f"/page/x/{name}")
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["code"] == "NoSuchRoute"


@pytest.mark.parametrize("path", ["/", "/page/x/app.js"])
def test_it_can_be_switched_off(path: str) -> None:
    answer = ask(page(page=False), path)
    assert answer["statusCode"] == 404
    assert "switched off" in json.loads(answer["body"])["detail"]


def test_a_changed_file_changes_the_version(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("one")
    first = Page(Settings(bucket="b"), folder=tmp_path).version
    (tmp_path / "main.js").write_text("two")
    assert Page(Settings(bucket="b"), folder=tmp_path).version != first


def test_a_first_visit_needs_few_requests() -> None:
    assert len(SERVED) < 10
    assert {"app.css", "app.js"} <= {*SERVED}


def test_modules_are_joined_after_those_they_import() -> None:
    modules = {
        "main.js": """import { a, b as c } from "./one.js";
import * as two from "./two.js";

two.add(a);
two.add(c());
console.log(JSON.stringify(two.all));
""",
        "one.js": """import { all } from "./two.js";

const hidden = 1;

export const a = hidden + all.length;

export function b() {
  return "b";
}
""",
        "two.js": """export const all = [];

export const add = (one) => all.push(one);
""",
        "unused.js": "export default 3;",
    }
    text = joined(modules, "main.js")
    assert text.index('m["two.js"]') < text.index('m["one.js"]') < text.index('m["main.js"]')
    assert "unused" not in text
    node = shutil.which("node")
    if node:
        command = [node, "--input-type=module", "-e", text]
        assert subprocess.check_output(command, text=True) == '[1,"b"]\n'


def test_modules_in_a_circle_are_refused() -> None:
    modules = {
        "a.js": 'import { b } from "./b.js";\nexport const a = b;\n',
        "b.js": 'import { a } from "./a.js";\nexport const b = a;\n',
    }
    with pytest.raises(ValueError, match=r"a\.js > b\.js > a\.js"):
        joined(modules, "a.js")


@pytest.mark.parametrize(
    "line", ['import x from "./x.js";', "export default 1;", "export { a };", 'import "./a.js";']
)
def test_what_cannot_be_joined_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        joined({"main.js": f"{line}\n"}, "main.js")


def test_the_policy_allows_no_inline_script_or_style() -> None:
    rules = dict(rule.split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    text = (FILES / "index.html").read_text("utf-8")
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|javascript:", text)


def test_nothing_is_asked_of_another_host() -> None:
    for path in FILES.iterdir():
        if path.suffix in {".js", ".css", ".html"}:
            links = re.findall(r"https?://[^\"'\s)]+", path.read_text("utf-8"))
            assert set(links) <= {"http://www.w3.org/2000/svg"}, path.name


def test_text_never_becomes_markup() -> None:
    for path in FILES.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", path.read_text()
        )


def words(name: str) -> dict[str, str]:
    text = (FILES / name).read_text("utf-8")
    return dict(re.findall(r'^\s+"?([\w.]+)"?: "(.*)",$', text, re.MULTILINE))


def test_both_languages_have_the_same_words() -> None:
    english, chinese = words("words-en.js"), words("words-zh.js")
    assert len(english) > 150
    assert list(english) == list(chinese)
    for name, text in english.items():
        holes = set(re.findall(r"\{\w+\}", text))
        assert set(re.findall(r"\{\w+\}", chinese[name])) == holes, name


def test_every_word_that_is_used_exists() -> None:
    source = "".join(path.read_text("utf-8") for path in FILES.glob("*.js"))
    used = set(re.findall(r'\bt\((?:\w+ \? )?"([\w.]+)"', source))
    used |= set(re.findall(r'\bt\(\w+ \? "[\w.]+" : "([\w.]+)"', source))
    assert len(used) > 80
    assert used <= words("words-en.js").keys()


def test_serving_it_loads_no_models() -> None:
    code = (
        "import sys, imagesearch.page; "
        "print({'numpy', 'onnxruntime', 'PIL', 'boto3', 'usearch'} & {*sys.modules})"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
