"""What a search must answer: the same as one through all pictures, one by one."""

from __future__ import annotations

from collections.abc import Mapping

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.index import Answer, Entry, Hit, Query, Snapshot, likeness


def check_search(snapshot: Snapshot, model: Mapping[PictureKey, Entry], query: Query) -> None:
    """Compare a search with one through all pictures, one by one."""
    hits = [
        Hit(entry.picture, likeness(query.features, entry.features))
        for entry in model.values()
        if query.category_id in (None, entry.picture.category_id)
        and (query.filter is None or query.filter.matches(entry.picture.attributes))
    ]
    hits = [hit for hit in hits if hit.likeness.score >= query.score_threshold]
    hits.sort(key=lambda hit: (-hit.likeness.relevance, hit.picture.key))
    if query.distinct_product:
        best: dict[object, Hit] = {}
        for hit in hits:
            best.setdefault(group(hit.picture, query.distinct_by), hit)
        hits = list(best.values())
    answer = snapshot.search(query)
    check_total(snapshot, query, answer, len(hits))
    assert list(answer.hits) == hits[query.start : query.start + query.num]


def group(picture: Picture, by: str) -> object:
    """Return what pictures have in common of which a distinct search shows one."""
    if by == "product_id":
        return picture.key.product_id
    value = getattr(picture.attributes, by)
    return picture.key if value is None else value


def check_total(snapshot: Snapshot, query: Query, answer: Answer, right: int) -> None:
    """Check a total, which is exact unless an engine elsewhere serves the index."""
    outpost = snapshot.manifest.outpost
    assert answer.exact or (outpost and outpost.serving)
    if answer.exact:
        assert answer.total == right
    elif query.filter or query.score_threshold or query.distinct_product:
        assert len(answer.hits) <= answer.total <= right
    else:
        assert answer.total >= right
