"""Search for pictures, and compare two.

What a search by one picture does not need is imported at its first use: its cold start pays nothing
for the rest.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from imagesearch.http import Answer, Api, Request
from imagesearch.operations import fields
from imagesearch.operations.answers import ComparedAnswer, FoundAnswer
from imagesearch.operations.compare import Compare, compare
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.search import Search, probabilities, search
from numpy.typing import NDArray

handler = Api()
deployment = Deployment.from_environment()
deployment.warm()


@handler.route("POST /v1/instances/{instance}/search", spends="searches")
def search_pictures(request: Request) -> Answer:
    """Answer the pictures that fit best what was sent: picture, subjects, words, or several."""
    given = request.fields()
    if "query" in given:
        return _together(given)
    if "regions" in given:
        return _each_subject(given)
    if "text" in given:
        return _by_words(given)
    found = search(deployment, fields.read(Search, given))
    chances_of_hits = probabilities(deployment, found.instance, found.answer.hits)
    return Answer(FoundAnswer.of(found, chances_of_hits), stages=_stages(found.took_ms))


def _together(given: dict[str, Any]) -> Answer:
    from imagesearch.operations.combined import CombinedSearch, combined
    from imagesearch.operations.search_answers import CombinedAnswer

    asked = fields.read(CombinedSearch, given)
    together = combined(deployment, asked, understands=partial(_place, asked.instance))
    return Answer(CombinedAnswer.of(together), stages=_stages(together.took_ms))


def _each_subject(given: dict[str, Any]) -> Answer:
    from imagesearch.operations.search_answers import SubjectsAnswer
    from imagesearch.operations.several import SearchSubjects, search_subjects

    several = search_subjects(deployment, fields.read(SearchSubjects, given))
    chances = [
        probabilities(deployment, several.instance, subject.answer.hits)
        for subject in several.subjects
    ]
    return Answer(SubjectsAnswer.of(several, chances), stages=_stages(several.took_ms))


def _by_words(given: dict[str, Any]) -> Answer:
    from imagesearch.operations.search_answers import WordedAnswer
    from imagesearch.operations.search_text import SearchText, search_text

    found = search_text(deployment, fields.read(SearchText, given))
    return Answer(WordedAnswer.of(found), stages=_stages(found.took_ms))


def _place(instance: str, text: str) -> NDArray[np.float32]:
    from imagesearch.operations.meaning import understands

    return understands(deployment, instance, text)


@handler.route("POST /v1/instances/{instance}/compare", spends="searches")
def compare_pictures(request: Request) -> Answer:
    """Answer how much two pictures look alike."""
    found = compare(deployment, fields.read(Compare, request.fields()))
    return Answer(ComparedAnswer(found.score, found.hamming))


@handler.route("POST /v1/instances/{instance}/explain", spends="searches")
def explain_hit(request: Request) -> Answer:
    """Answer which parts of two pictures make them alike."""
    from imagesearch.operations.explain import Explain, explain
    from imagesearch.operations.search_answers import ExplainedAnswer

    return Answer(ExplainedAnswer.of(explain(deployment, fields.read(Explain, request.fields()))))


def _stages(took_ms: Mapping[str, float]) -> dict[str, float]:
    return {stage: ms for stage, ms in took_ms.items() if stage != "total"}
