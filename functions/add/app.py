"""Add pictures, and begin the upload of large ones."""

from imagesearch.http import Answer, Api, Request
from imagesearch.operations import fields
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.record import record
from imagesearch.operations.uploads import BeginUpload, begin_upload

handler = Api()
deployment = Deployment.from_environment()


@handler.route("POST /v1/instances/{instance}/pictures")
def add(request: Request) -> Answer:
    """Index one picture; 200 instead of 201 when ``if_exists=keep`` left another as it was."""
    added = add_picture(
        deployment,
        fields.read(AddPicture, request.fields()),
        idempotency_key=request.headers.get("idempotency-key"),
    )
    regions = [region.as_list() for region in added.regions]
    body = {"picture": {**record(added.picture), "regions": regions}, "sequence": added.sequence}
    return Answer(body, status=201 if added.new else 200, stages=added.took_ms)


@handler.route("POST /v1/uploads")
def upload(request: Request) -> Answer:
    """Give an address to which a large picture may be sent."""
    begun = begin_upload(deployment, fields.read(BeginUpload, request.fields()))
    body = {
        "upload_id": begun.upload_id,
        "method": "PUT",
        "url": begun.url,
        "headers": begun.headers,
        "expires_in": begun.expires_in,
    }
    return Answer(body, status=201)
