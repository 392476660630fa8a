"""Add pictures, change what is attached to them, and begin the upload of large ones."""

from imagesearch.http import Answer, Api, Request
from imagesearch.operations import fields
from imagesearch.operations.add import AddPicture, add_picture
from imagesearch.operations.answers import AddedAnswer, UpdatedAnswer, UploadAnswer
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.update import UpdatePicture, update_picture
from imagesearch.operations.uploads import BeginUpload, begin_upload

handler = Api()
deployment = Deployment.from_environment()
deployment.warm()


@handler.route("POST /v1/instances/{instance}/pictures", spends="adds")
def add(request: Request) -> Answer:
    """Index one picture; 200 instead of 201 when ``if_exists=keep`` left another as it was."""
    added = add_picture(
        deployment,
        fields.read(AddPicture, request.fields()),
        idempotency_key=request.headers.get("idempotency-key"),
        most=request.limits.pictures,
    )
    return Answer(AddedAnswer.of(added), status=201 if added.new else 200, stages=added.took_ms)


@handler.route("PATCH /v1/instances/{instance}/pictures/{product_id}/{pic_name}")
def update(request: Request) -> Answer:
    """Change the attributes that are given; the others and the picture stay."""
    updated = update_picture(deployment, fields.read(UpdatePicture, request.fields()))
    return Answer(UpdatedAnswer.of(updated))


@handler.route("POST /v1/uploads", shared=True)
def upload(request: Request) -> Answer:
    """Give an address to which a large picture may be sent."""
    begun = begin_upload(deployment, fields.read(BeginUpload, request.fields()))
    return Answer(UploadAnswer.of(begun), status=201)
