"""Two ways to answer questions: through a running service, or with the models in this process."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from imagesearch.catalogue import Region, Service
from imagesearch.errors import ImageSearchError, ModelError
from imagesearch.index import Features, encode
from imagesearch.vision import Vision
from imagesearch.vision.bundle import Bundle
from imagesearch_client import Client, Refused, UnusableSource

from imagesearch_local.evaluation.labelled import Box, Entry, LabelledSet, Question
from imagesearch_local.evaluation.outcome import Match, Outcome

__all__ = ["Boxes", "InProcess", "OverHttp", "Searcher"]

Boxes = Literal["found", "true", "whole"]
"""Which subject box is used: the one that is found, the labelled one, or the whole picture."""

DEPTH = 100
"""How many products are asked for: the most that one answer may carry."""


class Searcher(Protocol):
    """Takes a catalogue in and answers questions. Safe to call from several threads."""

    @property
    def model(self) -> str:
        """The id of the model bundle that answers."""
        ...

    def add(self, entry: Entry, image: bytes) -> str:
        """Take a picture in; return why it was refused, or an empty string."""
        ...

    def ask(self, question: Question, image: bytes) -> Outcome:
        """Answer a question; a refusal is an outcome with a problem."""
        ...


def _placed(boxes: Boxes, box: Box | None) -> tuple[Region | None, bool]:
    """Return the region to send and whether to crop at all."""
    return (Region(*box) if boxes == "true" and box else None), boxes != "whole"


@dataclass(slots=True)
class OverHttp:
    """Asks a running service, in an instance that is thrown away."""

    client: Client
    instance: str
    boxes: Boxes
    model: str = ""

    @classmethod
    @contextmanager
    def thrown_away(cls, client: Client, service: Service, boxes: Boxes) -> Iterator[OverHttp]:
        """Create an instance of its own, and erase it in the end whatever happens."""
        name = f"eval-{secrets.token_hex(6)}"
        created = client.create_instance(name, service.value)
        try:
            yield cls(client, name, boxes, created.model)
        finally:
            client.delete_instance(name)

    def add(self, entry: Entry, image: bytes) -> str:
        """Add a picture to the instance."""
        key = entry.product_id, entry.pic_name
        try:
            self.client.add(self.instance, image, *key, **self._subject(entry.region))
        except Refused as refused:
            return str(refused)
        return ""

    def ask(self, question: Question, image: bytes) -> Outcome:
        """Search the instance."""
        subject = self._subject(question.region)
        try:
            answer = self.client.search(
                self.instance, image, num=DEPTH, distinct_product=True, **subject
            )
        except Refused as refused:
            return Outcome(query_id=question.query_id, problem=str(refused))
        took = dict(answer.took_ms)
        return Outcome(
            query_id=question.query_id,
            matches=tuple(Match(hit.product_id, hit.pic_name, hit.score) for hit in answer.hits),
            category_id=answer.query.category_id,
            region=Region.parse(answer.query.region),
            ms=took.pop("total"),
            stages=took,
        )

    def _subject(self, box: Box | None) -> dict[str, Any]:
        region, crop = _placed(self.boxes, box)
        return {"region": region.as_list()} if region else {} if crop else {"crop": False}


class InProcess:
    """Looks with a bundle and compares every picture exactly: the service without its transport.

    Milliseconds are CPU time of the thread, which other work on the machine does not lengthen.
    """

    def __init__(self, vision: Vision, service: Service, boxes: Boxes) -> None:
        self.model = vision.model
        self._vision = vision
        self._service = service
        self._boxes = boxes
        self._shelf: list[tuple[tuple[str, str], Features]] = []
        self._categories: dict[tuple[str, str], int] = {}

    @classmethod
    def of(cls, bundle: Path, labelled: LabelledSet, boxes: Boxes) -> InProcess:
        """Load a bundle for a set; raise :class:`UnusableSource` if it is not sound."""
        try:
            vision = Vision(Bundle(bundle), clock=time.thread_time)
            vision.warm()
        except ModelError as error:
            raise UnusableSource(error.detail) from None
        return cls(vision, labelled.service, boxes)

    def add(self, entry: Entry, image: bytes) -> str:
        """Look at a catalogue picture and keep its features."""
        region, crop = _placed(self._boxes, entry.region)
        try:
            view = self._vision.look(image, self._service, region=region, crop=crop)
        except ImageSearchError as error:
            return error.detail
        key = entry.product_id, entry.pic_name
        self._shelf.append((key, encode(view.vector)))
        self._categories[key] = view.category_id
        return ""

    def ask(self, question: Question, image: bytes) -> Outcome:
        """Look at a query picture and rank the catalogue by it."""
        region, crop = _placed(self._boxes, question.region)
        began = time.thread_time()
        try:
            view = self._vision.look(image, self._service, region=region, crop=crop)
        except ImageSearchError as error:
            return Outcome(query_id=question.query_id, problem=error.detail)
        matches = self._ranked(encode(view.vector))
        hits = ((self._categories[m.product_id, m.pic_name], m.score) for m in matches)
        category = self._vision.settled(view, hits)
        took = (time.thread_time() - began) * 1000
        return Outcome(
            query_id=question.query_id,
            matches=matches,
            category_id=category,
            region=view.region,
            ms=took,
            stages=dict(view.took_ms),
        )

    def _ranked(self, features: Features) -> tuple[Match, ...]:
        if not self._shelf:
            return ()
        keys = [key for key, _ in self._shelf]
        rows = np.stack([shelved.row for _, shelved in self._shelf]).astype(np.float64)
        asked = features.row.astype(np.float64)
        cosines = rows @ asked / (np.linalg.norm(rows, axis=1) * np.linalg.norm(asked))
        matches: dict[str, Match] = {}
        for i in sorted(range(len(keys)), key=lambda i: (-cosines[i], keys[i])):
            product_id, pic_name = keys[i]
            score = max(0.0, float(cosines[i]))
            matches.setdefault(product_id, Match(product_id, pic_name, score))
        return tuple(list(matches.values())[:DEPTH])
