"""Instances and the pictures in them: create, list, show, erase; health; the page's files."""

from imagesearch.http import Answer, Api, Request
from imagesearch.operations import fields
from imagesearch.operations.answers import (
    ErasedAnswer,
    HealthAnswer,
    InstanceRecord,
    InstancesAnswer,
    PageAnswer,
    PictureRecord,
)
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.duplicates import FindDuplicates, find_duplicates
from imagesearch.operations.facets import CountPictures, count_pictures
from imagesearch.operations.instances import (
    CreateInstance,
    DeleteInstance,
    NamedInstance,
    create_instance,
    delete_instance,
    describe_instance,
    list_instances,
)
from imagesearch.operations.overview_answers import CountsAnswer, DuplicatesAnswer
from imagesearch.operations.pictures import ListPictures, ShowPicture, list_pictures, show_picture
from imagesearch.operations.search import probabilities
from imagesearch.operations.thumbnails import ShowThumbnail, show_thumbnail
from imagesearch.page import Page

handler = Api()
deployment = Deployment.from_environment()
page = Page(deployment.settings)


@handler.route("PUT /v1/instances/{instance}")
def create(request: Request) -> Answer:
    """Create an instance, or find the same one."""
    described, new = create_instance(deployment, fields.read(CreateInstance, request.fields()))
    return Answer(InstanceRecord.of(described), status=201 if new else 200)


@handler.route("GET /v1/instances", shared=True)
def list_all(request: Request) -> Answer:
    """List the instances that the key reaches."""
    found = list_instances(deployment, among=request.reach.includes)
    return Answer(InstancesAnswer([InstanceRecord.of(described) for described in found]))


@handler.route("GET /v1/instances/{instance}")
def show(request: Request) -> Answer:
    """Describe one instance."""
    described = describe_instance(deployment, fields.read(NamedInstance, request.fields()))
    return Answer(InstanceRecord.of(described))


@handler.route("DELETE /v1/instances/{instance}")
def erase(request: Request) -> Answer:
    """Erase an instance and everything in it."""
    named = fields.read(DeleteInstance, request.fields())
    delete_instance(deployment, named)
    return Answer(ErasedAnswer(named.instance), status=202)


@handler.route("GET /v1/instances/{instance}/pictures")
def pictures(request: Request) -> Answer:
    """List pictures, page by page."""
    page = list_pictures(deployment, fields.read(ListPictures, request.fields()))
    return Answer(PageAnswer.of(page))


@handler.route("GET /v1/instances/{instance}/pictures/{product_id}/{pic_name}")
def picture(request: Request) -> Answer:
    """Show one picture's record."""
    found = show_picture(deployment, fields.read(ShowPicture, request.fields()))
    return Answer(PictureRecord.of(found))


@handler.route("GET /v1/instances/{instance}/facets")
def facets(request: Request) -> Answer:
    """Count pictures by category and attributes."""
    counted = count_pictures(deployment, fields.read(CountPictures, request.fields()))
    return Answer(CountsAnswer.of(counted))


@handler.route("GET /v1/instances/{instance}/duplicates")
def duplicates(request: Request) -> Answer:
    """Tell which of a page of pictures have duplicates."""
    page = find_duplicates(deployment, fields.read(FindDuplicates, request.fields()))
    chances = [probabilities(deployment, page.instance, twins.duplicates) for twins in page.twins]
    return Answer(DuplicatesAnswer.of(page, chances))


@handler.route("GET /v1/instances/{instance}/thumbnails/{thumbnail}")
def thumbnail(request: Request) -> Answer:
    """Show a small copy of a picture; its name is never given to another."""
    body = show_thumbnail(deployment, fields.read(ShowThumbnail, request.fields()))
    keep = "private, max-age=31536000, immutable"
    return Answer(body, headers={"content-type": "image/jpeg", "cache-control": keep})


@handler.route("GET /page/{version}/{file}")
def page_file(request: Request) -> Answer:
    """Answer a file of the web page."""
    return page.file(request)


@handler.route("GET /openapi.json")
def openapi(_request: Request) -> Answer:
    """Describe every route."""
    from imagesearch.openapi import document

    return Answer(document())


@handler.route("GET /health/live")
def live(_request: Request) -> Answer:
    """Answer without doing any work."""
    return Answer(HealthAnswer("ok"))


@handler.route("GET /health/ready")
def ready(_request: Request) -> Answer:
    """Answer when the models load and the store can be listed."""
    next(iter(deployment.store.list("instances/")), None)
    return Answer(HealthAnswer("ok", deployment.vision.model))
