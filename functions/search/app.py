"""Search for pictures, and compare two."""

from imagesearch.http import Answer, Api, Request
from imagesearch.operations import fields
from imagesearch.operations.compare import Compare, compare
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.record import record
from imagesearch.operations.search import Search, search

handler = Api()
deployment = Deployment.from_environment()


@handler.route("POST /v1/instances/{instance}/search")
def search_pictures(request: Request) -> Answer:
    """Answer the pictures that look most like the one sent."""
    found = search(deployment, fields.read(Search, request.fields()))
    hits = [
        {
            **record(hit.picture),
            "score": hit.likeness.score,
            # A float32, to the digits that sort_expr_values prints: both then read alike.
            "relevance": float(f"{hit.likeness.relevance:.15g}"),
            "hamming": hit.likeness.hamming,
            "sort_expr_values": hit.likeness.sort_expr_values,
        }
        for hit in found.answer.hits
    ]
    body = {
        "hits": hits,
        "query": {
            "category_id": found.category_id,
            "region": found.region.as_list(),
            "regions": [region.as_list() for region in found.regions],
        },
        "total": found.answer.total,
        "index": {"generation": found.generation, "sequence": found.sequence},
        "took_ms": {stage: round(ms, 2) for stage, ms in found.took_ms.items()},
    }
    stages = {stage: ms for stage, ms in found.took_ms.items() if stage != "total"}
    return Answer(body, stages=stages)


@handler.route("POST /v1/instances/{instance}/compare")
def compare_pictures(request: Request) -> Answer:
    """Answer how much two pictures look alike."""
    found = compare(deployment, fields.read(Compare, request.fields()))
    return Answer({"score": found.score, "hamming": found.hamming})
