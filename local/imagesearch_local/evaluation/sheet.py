"""The contact sheet: what was asked, what came back first, and what was right."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from imagesearch.catalogue import Region
from PIL import Image, ImageDraw

from imagesearch_local.evaluation.labelled import Question
from imagesearch_local.evaluation.outcome import Run

__all__ = ["differences", "failures", "sheet"]

SIDE = 150
TRUE, FOUND = "#1a7f37", "#d1242f"


def failures(run: Run) -> list[Question]:
    """Return the questions whose first product is not right, those found late before the lost."""
    wrong = [(run.judge(q).rank, q) for q in run.labelled.questions if q.relevant]
    return [q for rank, q in sorted(wrong, key=lambda w: (w[1].kind, w[0] or 10**6)) if rank != 1]


def differences(first: Run, second: Run) -> list[Question]:
    """Return the questions that exactly one of two runs answers right in the first place."""
    return [
        q
        for q in first.labelled.questions
        if q.relevant and (first.judge(q).rank == 1) != (second.judge(q).rank == 1)
    ]


def sheet(questions: Sequence[Question], runs: Sequence[Run], *, most: int = 120) -> str:
    """Return one row a question as HTML; beyond ``most``, rows are taken evenly from all."""
    step = max(1, -(-len(questions) // most))
    rows = [_row(question, runs) for question in questions[::step]]
    return f'<div class="sheet">{"".join(rows)}</div>'


def _row(question: Question, runs: Sequence[Run]) -> str:
    labelled = runs[0].labelled
    true = Region(*question.region) if question.region else None
    found = runs[0].outcome(question).region
    asked = _figure(
        labelled.folder / question.file,
        f"{question.kind} {question.query_id}",
        [(true, TRUE), (found, FOUND)],
    )
    return f'<div class="row">{asked}{"".join(_answers(question, runs))}</div>'


def _answers(question: Question, runs: Sequence[Run]) -> Iterator[str]:
    labelled = runs[0].labelled
    for run in runs:
        outcome = run.outcome(question)
        if outcome.problem:
            yield _figure(None, f"{run.model}: {outcome.problem}")
        elif outcome.matches:
            best = outcome.matches[0]
            said = f"{run.model}: first is {best.product_id} ({best.score:.3f})"
            yield _figure(labelled.files.get((best.product_id, best.pic_name)), said)
    yield _right(question, runs)


def _right(question: Question, runs: Sequence[Run]) -> str:
    places = []
    for run in runs:
        rank = run.judge(question).rank
        places.append(f"{run.model} ranks it {rank}" if rank else f"{run.model} has it not")
    file = next(_pictures_of(question.relevant, runs[0]), None)
    return _figure(file, f"right is {question.relevant[0]}; {', '.join(places)}")


def _pictures_of(products: Iterable[str], run: Run) -> Iterator[Path]:
    wanted = set(products)
    return (file for (product_id, _), file in run.labelled.files.items() if product_id in wanted)


def _figure(
    file: Path | None, caption: str, boxes: Sequence[tuple[Region | None, str]] = ()
) -> str:
    source = _thumbnail(file, boxes) if file else ""
    image = f'<img loading="lazy" alt="" src="{source}">' if source else ""
    return f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _thumbnail(file: Path, boxes: Sequence[tuple[Region | None, str]]) -> str:
    try:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
    except OSError:
        return ""
    scale = SIDE / max(picture.size)
    picture = picture.resize(
        (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
    )
    draw = ImageDraw.Draw(picture)
    for region, colour in boxes:
        if region:
            corners = [v * scale for v in (region.x1, region.y1, region.x2 - 1, region.y2 - 1)]
            draw.rectangle(corners, outline=colour, width=2)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
