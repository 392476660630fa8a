"""The pages of documentation and the code blocks in them.

A block of ``sh`` or ``python`` is run, one of ``json`` is read. After the language may stand
``not-run: REASON`` for what this machine cannot do, or ``tested-by: FILE`` for what another test
runs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "client", "layers", "evaluation", "benchmarks", "local")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]
)
RUN = frozenset({"sh", "python", "json"})
CODE = RUN | {"js"}
SHOWN = frozenset({"text", "mermaid", "filter", "csv"})
_FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    """A code block: where it is, its language, and why it is not run here, if so."""

    page: Path
    line: int
    language: str
    text: str
    not_run: str = ""
    tested_by: str = ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def snippets(page: Path) -> list[Snippet]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, _, rest = match[1].strip().partition(" ")
        line = text.count("\n", 0, match.start()) + 1
        mark, _, value = rest.partition(":")
        marks = {"not-run": "not_run", "tested-by": "tested_by"}
        given = {marks[mark]: value.strip()} if mark in marks else {}
        known = language if given or not rest else match[1]
        found.append(Snippet(page, line, known, match[2], **given))
    return found


def carry_out(snippet: Snippet, folder: Path, environment: dict[str, str]) -> str:
    """Run a block in ``folder``; return what went wrong."""
    url = environment["IMAGESEARCH_URL"]
    text = snippet.text.replace("http://127.0.0.1:3000", url)
    if snippet.language == "json":
        return _read(text)
    command = {
        "sh": ["bash", "-euo", "pipefail", "-c", text],
        "python": [sys.executable, "-W", "error", "-c", text],
    }[snippet.language]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    said = f"{done.stdout[-1500:]}{done.stderr[-1500:]}"
    return f"{snippet} ended with {done.returncode}:\n{text}\n{said}" if done.returncode else ""


def _read(text: str) -> str:
    """Return why a block is neither JSON nor JSON lines."""
    try:
        json.loads(text)
    except ValueError:
        try:
            [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            return f"not JSON: {error}\n{text}"
    return ""
