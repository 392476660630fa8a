"""A report of one run or several as a single HTML file that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imagesearch_local.evaluation.charts import Line, bars, lines
from imagesearch_local.evaluation.outcome import Run
from imagesearch_local.evaluation.searchers import DEPTH
from imagesearch_local.evaluation.sheet import differences, failures, sheet

__all__ = ["write_report"]

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; color: #1f2328; margin: 2rem auto; max-width: 1100px }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: 3px 12px; text-align: right }
th:first-child, td:first-child, td.model { text-align: left }
tr.kind td { border-top: 1px solid #d0d7de }
.charts { display: flex; flex-wrap: wrap; gap: 16px } svg { width: 500px; font-size: 11px }
.row { display: flex; gap: 10px; border-top: 1px solid #d0d7de; padding: 8px 0 }
figure { margin: 0; width: 170px; font-size: 11px; overflow-wrap: anywhere }
.true { color: #1a7f37 } .found { color: #d1242f }
"""
_COLUMNS = {
    "queries": "queries",
    "recall_at_1": "R@1",
    "recall_at_10": "R@10",
    "map": "mAP",
    "category_accuracy": "category",
    "subject_iou": "subject IoU",
}


def write_report(runs: Sequence[Run], folder: Path) -> Path:
    """Write ``report.html`` into ``folder`` (made if need be) and return its path.

    It shows the figures of each run by kind, curves, and a contact sheet: of one run its
    failures, of two what only one of them finds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    labelled = runs[0].labelled
    title = f"{labelled.folder.name} · {labelled.service.value}"
    body = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{len(labelled.catalogue)} catalogue pictures, {len(labelled.questions)} queries.</p>",
        _table(runs),
        f'<div class="charts">{_recall(runs)}{"".join(_scores(run) for run in runs)}</div>',
        *_sheets(runs),
    ]
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style>{''.join(body)}</html>\n"
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _table(runs: Sequence[Run]) -> str:
    summaries = [(run.model, run.summary()) for run in runs]
    kinds = list(summaries[0][1]["by_kind"])
    rows = [
        _line(kind or "all", model, summary if kind is None else summary["by_kind"][kind])
        for kind in (None, *kinds)
        for model, summary in summaries
    ]
    heads = "".join(f"<th>{name}</th>" for name in ("kind", "model", *_COLUMNS.values(), "ms"))
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>"


def _line(kind: str, model: str, figures: dict[str, Any]) -> str:
    values = [*(figures[name] for name in _COLUMNS), figures.get("ms_per_query")]
    cells = "".join(f"<td>{_number(value)}</td>" for value in values)
    return (
        f'<tr class="kind"><td>{html.escape(kind)}</td>'
        f'<td class="model">{html.escape(model)}</td>{cells}</tr>'
    )


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) or value > 1 else f"{100 * value:.1f}"


def _recall(runs: Sequence[Run]) -> str:
    curves = []
    for run in runs:
        ranks = [rank for q in run.labelled.questions if (rank := run.judge(q).rank) is not None]
        share = len(ranks) or 1
        points = [(k, sum(0 < rank <= k for rank in ranks) / share) for k in range(1, DEPTH + 1)]
        curves.append(Line(run.model, points))
    return lines(curves, title="recall at k", across="k (logarithmic)", log=True)


def _scores(run: Run) -> str:
    right: list[float] = []
    wrong: list[float] = []
    for question in run.labelled.questions:
        relevant = set(question.relevant)
        matches = run.outcome(question).matches
        right += [m.score for m in matches if m.product_id in relevant][:1]
        wrong += [m.score for m in matches if m.product_id not in relevant][:1]
    groups = [("best right product", right), ("best wrong product", wrong)]
    return bars(groups, title=f"scores of {run.model}", across="score")


def _sheets(runs: Sequence[Run]) -> list[str]:
    legend = (
        '<p>Query with its <span class="true">true</span> and <span class="found">found</span> '
        "box, the first hit, the right product.</p>"
    )
    if len(runs) == 2:
        questions = differences(runs[0], runs[1])
        return [f"<h2>Only one finds it: {len(questions)}</h2>", legend, sheet(questions, runs)]
    questions = failures(runs[0])
    return [f"<h2>Not first: {len(questions)}</h2>", legend, sheet(questions, runs)]
