"""Search for pictures, and compare two."""

from imagesearch.http import Answer, Api, Request
from imagesearch.operations import fields
from imagesearch.operations.answers import ComparedAnswer, FoundAnswer
from imagesearch.operations.compare import Compare, compare
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.search import Search, probabilities, search

handler = Api()
deployment = Deployment.from_environment()
deployment.warm()


@handler.route("POST /v1/instances/{instance}/search")
def search_pictures(request: Request) -> Answer:
    """Answer the pictures that look most like the one sent."""
    found = search(deployment, fields.read(Search, request.fields()))
    stages = {stage: ms for stage, ms in found.took_ms.items() if stage != "total"}
    return Answer(FoundAnswer.of(found, probabilities(deployment, found)), stages=stages)


@handler.route("POST /v1/instances/{instance}/compare")
def compare_pictures(request: Request) -> Answer:
    """Answer how much two pictures look alike."""
    found = compare(deployment, fields.read(Compare, request.fields()))
    return Answer(ComparedAnswer(found.score, found.hamming))
