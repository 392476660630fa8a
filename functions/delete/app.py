"""Delete pictures: one, all of a product, or all that a filter selects."""

from imagesearch.http import Answer, Api, Request
from imagesearch.operations import fields
from imagesearch.operations.answers import DeletedAnswer
from imagesearch.operations.delete import (
    Deleted,
    DeletePicture,
    DeleteProduct,
    DeleteSelected,
    delete_picture,
    delete_product,
    delete_selected,
)
from imagesearch.operations.deployment import Deployment

handler = Api()
deployment = Deployment.from_environment()


@handler.route("DELETE /v1/instances/{instance}/pictures/{product_id}/{pic_name}")
def picture(request: Request) -> Answer:
    """Delete one picture."""
    return _answer(delete_picture(deployment, fields.read(DeletePicture, request.fields())))


@handler.route("DELETE /v1/instances/{instance}/pictures/{product_id}")
def product(request: Request) -> Answer:
    """Delete every picture of a product."""
    return _answer(delete_product(deployment, fields.read(DeleteProduct, request.fields())))


@handler.route("DELETE /v1/instances/{instance}/pictures")
def selected(request: Request) -> Answer:
    """Delete what the filter selects, or what the query names."""
    return _answer(delete_selected(deployment, fields.read(DeleteSelected, request.fields())))


def _answer(done: Deleted) -> Answer:
    return Answer(DeletedAnswer.of(done))
