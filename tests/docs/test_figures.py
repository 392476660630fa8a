"""The README's figures are those of the pages that say how they were measured."""

from __future__ import annotations

import re

import pytest

from tests.docs.snippets import ROOT


def cells(page: str, row: str, after: str = "") -> list[str]:
    """Return the cells of the first table row that begins with ``row``, below ``after``."""
    text = (ROOT / page).read_text(encoding="utf-8")
    [line] = re.findall(rf"^\| {re.escape(row)}.*$", text[text.index(after) :], re.MULTILINE)[:1]
    return [cell.strip(" *") for cell in line.strip("|").split("|")]


def shown(figure: str) -> list[str]:
    """Return how a figure may be rounded."""
    number = float(re.findall(r"[\d.]+", figure)[-1])
    return [f"{number:.0f}", f"{number:.1f}", f"{number:.2f}", f"{number * 100:.1f}"]


FIGURES = {
    "recall": cells("benchmarks/README.md", "ours, snapshot kept")[3],
    "scan": cells("benchmarks/README.md", "ours, snapshot kept")[6],
    "cold": cells("benchmarks/coldstart/README.md", "first answer of a fresh")[1],
    "warm": cells("benchmarks/coldstart/README.md", "warm answer")[1],
    "import": cells("docs/increments.md", "undisturbed")[3],
    "found": cells("evaluation/README.md", "all (863) | shipped, found boxes", "### product")[2],
    "baseline": cells("evaluation/README.md", "all (863) | baseline", "### product")[2],
    "cost": cells("docs/costs.md", "searches")[5],
}
UNITS = {
    "recall": " %",
    "scan": " ms",
    "cold": " s",
    "warm": " ms",
    "import": " %",
    "found": " %",
    "baseline": " %",
    "cost": " USD",
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_readme_tells_the_measured_figure(name: str) -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| Measured |")[2]
    wanted = [figure + UNITS[name] for figure in shown(FIGURES[name])]
    assert any(re.search(rf"(?<![\d.]){re.escape(one)}", table) for one in wanted), wanted


def test_both_languages_tell_the_same_figures() -> None:
    english, chinese = (
        (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "README.zh-CN.md")
    )
    rows = {
        tuple(re.findall(r"\d+(?:\.\d+)?", row.split("|")[2]))
        for row in english.partition("| Measured |")[2].splitlines()
        if row.startswith("| ") and row.count("|") == 4
    }
    told = {
        tuple(re.findall(r"\d+(?:\.\d+)?", row.split("|")[2]))
        for row in chinese.partition("| 实测 |")[2].splitlines()
        if row.startswith("| ") and row.count("|") == 4
    }
    assert rows == told
