"""``imagesearch eval``: index a labelled set, ask its questions, print the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from imagesearch_client import Client

from imagesearch_local.commands.output import complain, progress
from imagesearch_local.evaluation.labelled import LabelledSet
from imagesearch_local.evaluation.outcome import Run
from imagesearch_local.evaluation.report import write_report
from imagesearch_local.evaluation.searchers import Boxes, InProcess, OverHttp, Searcher

__all__ = ["Settings", "compare", "evaluate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to measure: which subject boxes, how many requests at once, where a report goes."""

    boxes: Boxes = "found"
    workers: int = 4
    report: Path | None = None
    quiet: bool = False


def evaluate(
    folder: Path, *, client: Client | None = None, bundle: Path | None = None, settings: Settings
) -> dict[str, Any]:
    """Measure a set through a running service (``client``), or in this process (``bundle``).

    Returns ``queries``, ``recall_at_1``, ``recall_at_10``, ``map``, ``category_accuracy``,
    ``subject_iou``, ``by_kind`` and ``ms_per_query``. A picture that is refused counts as not
    found. Raises :class:`~imagesearch_client.UnusableSource` for a folder that is no set.
    """
    labelled = LabelledSet.read(folder)
    with _searcher(labelled, client, bundle, settings.boxes) as searcher:
        run = _run(labelled, searcher, settings)
    if settings.report:
        write_report([run], settings.report)
    return run.summary()


def compare(folder: Path, bundles: Sequence[Path], settings: Settings) -> list[dict[str, Any]]:
    """Measure a set with several bundles, in this process; the report shows what differs."""
    labelled = LabelledSet.read(folder)
    runs = []
    for bundle in bundles:
        with _searcher(labelled, None, bundle, settings.boxes) as searcher:
            runs.append(_run(labelled, searcher, settings))
    if settings.report:
        write_report(runs, settings.report)
    return [run.summary() for run in runs]


@contextmanager
def _searcher(
    labelled: LabelledSet, client: Client | None, bundle: Path | None, boxes: Boxes
) -> Iterator[Searcher]:
    if bundle is not None:
        yield InProcess.of(bundle, labelled, boxes)
    elif client is not None:
        with OverHttp.thrown_away(client, labelled.service, boxes) as searcher:
            yield searcher
    else:
        raise ValueError("either a client or a bundle is needed")


def _run(labelled: LabelledSet, searcher: Searcher, settings: Settings) -> Run:
    with ThreadPoolExecutor(settings.workers) as pool:
        each = _Each(pool, settings.quiet)
        refusals = each(
            "catalogue", labelled.catalogue, lambda e: searcher.add(e, labelled.image(e))
        )
        outcomes = each("queries", labelled.questions, lambda q: searcher.ask(q, labelled.image(q)))
    run = Run(
        labelled,
        searcher.model,
        {outcome.query_id: outcome for outcome in outcomes},
        tuple(reason for reason in refusals if reason),
    )
    _mention(run)
    return run


Item = TypeVar("Item")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class _Each:
    """Does a thing to each item, several at once, under a progress bar."""

    pool: ThreadPoolExecutor
    quiet: bool

    def __call__(self, title: str, items: Sequence[Item], do: Callable[[Item], Done]) -> list[Done]:
        done = []
        with progress(title, hidden=self.quiet) as begin:
            step = begin(len(items))
            for one in self.pool.map(do, items):
                done.append(one)
                step()
        return done


def _mention(run: Run) -> None:
    """Say on stderr which pictures got no answer; the figures count them as not found."""
    problems = [f"{o.query_id}: {o.problem}" for o in run.outcomes.values() if o.problem]
    said = [*run.refused, *problems]
    for line in said[:10]:
        complain(line)
    if said:
        complain(f"{len(said)} of the set's pictures got no answer.")
