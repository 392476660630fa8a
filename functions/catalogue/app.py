"""Instances and the pictures in them: create, list, show, erase; and the health of it all."""

from datetime import UTC, datetime
from typing import Any

from imagesearch.http import Answer, Api, Request
from imagesearch.operations import fields
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import (
    CreateInstance,
    DeleteInstance,
    Described,
    NamedInstance,
    create_instance,
    delete_instance,
    describe_instance,
    list_instances,
)
from imagesearch.operations.pictures import ListPictures, ShowPicture, list_pictures, show_picture
from imagesearch.operations.record import record

handler = Api()
deployment = Deployment.from_environment()


@handler.route("PUT /v1/instances/{instance}")
def create(request: Request) -> Answer:
    """Create an instance, or find the same one."""
    described, new = create_instance(deployment, fields.read(CreateInstance, request.fields()))
    return Answer(_instance(described), status=201 if new else 200)


@handler.route("GET /v1/instances")
def list_all(_request: Request) -> Answer:
    """List every instance."""
    return Answer({"instances": [_instance(found) for found in list_instances(deployment)]})


@handler.route("GET /v1/instances/{instance}")
def show(request: Request) -> Answer:
    """Describe one instance."""
    return Answer(
        _instance(describe_instance(deployment, fields.read(NamedInstance, request.fields())))
    )


@handler.route("DELETE /v1/instances/{instance}")
def erase(request: Request) -> Answer:
    """Erase an instance and everything in it."""
    named = fields.read(DeleteInstance, request.fields())
    delete_instance(deployment, named)
    return Answer({"deleted": named.instance}, status=202)


@handler.route("GET /v1/instances/{instance}/pictures")
def pictures(request: Request) -> Answer:
    """List pictures, page by page."""
    page = list_pictures(deployment, fields.read(ListPictures, request.fields()))
    return Answer(
        {"pictures": [record(one) for one in page.pictures], "next_cursor": page.next_cursor}
    )


@handler.route("GET /v1/instances/{instance}/pictures/{product_id}/{pic_name}")
def picture(request: Request) -> Answer:
    """Show one picture's record."""
    return Answer(record(show_picture(deployment, fields.read(ShowPicture, request.fields()))))


@handler.route("GET /health/live")
def live(_request: Request) -> Answer:
    """Answer without doing any work."""
    return Answer({"status": "ok"})


@handler.route("GET /health/ready")
def ready(_request: Request) -> Answer:
    """Answer when the models load and the store can be listed."""
    next(iter(deployment.store.list("instances/")), None)
    return Answer({"status": "ok", "model": deployment.vision.model})


def _instance(described: Described) -> dict[str, Any]:
    instance = described.instance
    created = datetime.fromtimestamp(instance.created / 1_000_000, UTC)
    return {
        "name": instance.name,
        "service": instance.service.value,
        "model": instance.model,
        "pictures": described.pictures,
        "products": described.products,
        "generation": described.generation,
        "sequence": described.sequence,
        "log_length": described.log_length,
        "created": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
