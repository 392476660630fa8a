"""Write docs/licences.md from docs/sbom.cdx.json: every package, its version and its licence."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SBOM, PAGE = ROOT / "docs/sbom.cdx.json", ROOT / "docs/licences.md"
RUNTIME = ROOT / "layers/runtime/requirements.txt"
HEAD = """# Licences

Every third-party package that runs in Lambda, or that development and local runs install, as
`requirements.lock` pins them. Written by `tools/supply/run.sh sbom` from
[sbom.cdx.json](sbom.cdx.json) (CycloneDX 1.6). The models have cards of their own in
[layers/models](../layers/models), and what they were made from is in [NOTICE](../NOTICE).

| package | version | licence | in the layer |
|---|---|---|---|
"""


def main() -> None:
    """Write the page."""
    deployed = set(re.findall(r"^([\w.-]+)==", RUNTIME.read_text("utf-8"), re.MULTILINE))
    components = json.loads(SBOM.read_text("utf-8"))["components"]
    rows = []
    for one in sorted(components, key=lambda one: one["name"].lower()):
        layer = "yes" if canonical(one["name"]) in deployed else ""
        rows.append(f"| {one['name']} | {one['version']} | {licence(one)} | {layer} |")
    PAGE.write_text(HEAD + "\n".join(rows) + "\n", "utf-8")


def canonical(name: str) -> str:
    """Return a package's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(component: dict[str, Any]) -> str:
    """Return a component's licence: an SPDX expression, else what its metadata say."""
    found = []
    for given in component.get("licenses", []):
        named = given.get("license", {})
        found.append(given.get("expression") or named.get("id") or named.get("name") or "")
    short = [
        re.sub(r"^License :: (OSI Approved :: )?", "", text.splitlines()[0])
        for text in found
        if text
    ]
    return "; ".join(dict.fromkeys(short)) or "not declared"


if __name__ == "__main__":
    main()
