"""What came back for each question, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from imagesearch.catalogue import Region

from imagesearch_local.evaluation.labelled import LabelledSet, Question
from imagesearch_local.evaluation.metrics import (
    Judged,
    average_precision,
    distinct,
    figures,
    first_right,
    intersection_over_union,
)

__all__ = ["Match", "Outcome", "Run"]

APART = "appmark"
"""The kind that is reported by itself and not in the totals."""


@dataclass(frozen=True, slots=True)
class Match:
    """One product of an answer, by its best picture."""

    product_id: str
    pic_name: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer to one question; ``problem`` says why there is none.

    ``region`` is the subject that was used, ``ms`` what the query took in milliseconds and
    ``stages`` what each stage of it took.
    """

    query_id: str
    matches: tuple[Match, ...] = ()
    category_id: int | None = None
    region: Region | None = None
    ms: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One labelled set, answered by one model."""

    labelled: LabelledSet
    model: str
    outcomes: dict[str, Outcome]
    refused: tuple[str, ...] = ()

    def outcome(self, question: Question) -> Outcome:
        """Return what came back for a question; none at all is an empty answer."""
        return self.outcomes.get(question.query_id) or Outcome(query_id=question.query_id)

    def judge(self, question: Question) -> Judged:
        """Return what the answer to a question is worth."""
        outcome = self.outcome(question)
        products = distinct(match.product_id for match in outcome.matches)
        sure, answered = question.sure_category, outcome.category_id
        true, found = question.region, outcome.region
        return Judged(
            question.kind,
            first_right(products, question.relevant) if question.relevant else None,
            average_precision(products, question.relevant) if question.relevant else None,
            None if sure is None or answered is None else answered == sure,
            intersection_over_union(Region(*true), found) if true and found else None,
        )

    def summary(self) -> dict[str, Any]:
        """Return the figures in all and by kind, as ``imagesearch eval --json`` prints them."""
        judged = [self.judge(question) for question in self.labelled.questions]
        kinds = sorted({j.kind for j in judged})
        times = [outcome.ms for outcome in self.outcomes.values() if not outcome.problem]
        return {
            **figures(j for j in judged if j.kind != APART).as_dict(),
            "by_kind": {
                kind: figures(j for j in judged if j.kind == kind).as_dict() for kind in kinds
            },
            "ms_per_query": round(sum(times) / len(times), 2) if times else None,
        }
