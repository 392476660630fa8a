"""The code in the migration guide works as it stands, but for the name of the host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.caller import World, picture, text
from tests.contract.sdk.prefixes import node_prefix, python_prefix
from tests.contract.sdk.sdks import Target

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("page", ["alibaba.md", "alibaba.zh-CN.md"])
def test_the_python_of_the_guide_runs(page: str, served: World, target: Target) -> None:
    served.add("p1", 1)
    snippets = re.findall(r"```python[^\n]*\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert len(snippets) == 2
    here, ca = f'"127.0.0.1:{target.https}"', f"ca={str(target.certificate)!r}"
    program = "\n".join(
        snippet.replace('endpoint="search.example.com"', f"endpoint={here}, {ca}")
        .replace('"search.example.com"', here)
        .replace("RuntimeOptions()", f"RuntimeOptions({ca})")
        for snippet in snippets
    )
    known = {
        "KEY_ID": target.key.id,
        "KEY_SECRET": target.key.secret,
        "BASE64_PICTURE": text(picture(1)),
        "PICTURE": picture(1),
    }
    program = "".join(f"{name} = {value!r}\n" for name, value in known.items()) + program
    prefix = python_prefix("2020-12-14 current")
    found = subprocess.run(
        [sys.executable, "-S", "-s", "-c", program],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": "/", "PYTHONPATH": str(prefix)},
    )
    assert found.returncode == 0, found.stderr
    printed = found.stdout.splitlines()
    assert (printed[0], printed[-1]) == ("p1 a.jpg 1.0", "10,150,10,110")


@pytest.mark.parametrize("page", ["alibaba.md", "alibaba.zh-CN.md"])
def test_the_node_of_the_guide_runs(page: str, served: World, target: Target) -> None:
    served.add("p1", 1)
    [snippet] = re.findall(r"```js[^\n]*\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    keys = {"accessKeyId": target.key.id, "accessKeySecret": target.key.secret}
    program = "".join(f"const {name} = {value!r};\n" for name, value in keys.items())
    program += snippet.replace("search.example.com", f"127.0.0.1:{target.https}")
    program += """
    const asked = new ImageSearch.SearchImageByNameRequest(
      { instanceName: "shop", productId: "p1", picName: "a.jpg" });
    client.searchImageByName(asked).then(({ body }) => console.log(body.auctions[0].productId));
    """
    found = subprocess.run(
        ["node", "-e", program],
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "NODE_PATH": str(node_prefix() / "node_modules"),
            "NODE_EXTRA_CA_CERTS": str(target.certificate),
        },
    )
    assert found.stdout == "p1\n", found.stderr


def test_both_languages_have_the_same_parts() -> None:
    english, chinese = ((DOCS / page).read_text() for page in ("alibaba.md", "alibaba.zh-CN.md"))

    def parts(text: str) -> tuple[int, int, set[str]]:
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        return text.count("\n## "), text.count("\n|"), set(re.findall(r"`([^`\n]+)`", prose))

    assert parts(english) == parts(chinese)
