"""Batch tasks: submit, check, follow, cancel and resume them."""

from imagesearch.http import Answer, Api, Request
from imagesearch.operations import fields
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.increment_record import CheckAnswer, IncrementRecord, IncrementsAnswer
from imagesearch.operations.increments import (
    ListIncrements,
    NamedIncrement,
    SubmitIncrement,
    cancel_increment,
    check_increment,
    list_increments,
    resume_increment,
    show_increment,
    submit_increment,
)

handler = Api()
deployment = Deployment.from_environment()


@handler.route("POST /v1/instances/{instance}/increments")
def submit(request: Request) -> Answer:
    """Queue a task, or say why it cannot be carried out."""
    increment = submit_increment(
        deployment,
        fields.read(SubmitIncrement, request.fields()),
        idempotency_key=request.headers.get("idempotency-key"),
        most=request.limits.pictures,
    )
    where = f"/v1/instances/{increment.task.instance}/increments/{increment.task.id}"
    return Answer(IncrementRecord.of(increment), status=202, headers={"location": where})


@handler.route("POST /v1/instances/{instance}/increments/check")
def check(request: Request) -> Answer:
    """Say what keeps a task from being carried out; nothing is started."""
    problems = check_increment(deployment, fields.read(SubmitIncrement, request.fields()))
    return Answer(CheckAnswer.of(problems))


@handler.route("GET /v1/instances/{instance}/increments")
def list_all(request: Request) -> Answer:
    """List tasks, newest first."""
    asked = fields.read(ListIncrements, request.fields())
    found = [IncrementRecord.of(one) for one in list_increments(deployment, asked)]
    return Answer(IncrementsAnswer(increments=found))


@handler.route("GET /v1/instances/{instance}/increments/{id}")
def show(request: Request) -> Answer:
    """Show how far a task is."""
    named = fields.read(NamedIncrement, request.fields())
    return Answer(IncrementRecord.of(show_increment(deployment, named)))


@handler.route("DELETE /v1/instances/{instance}/increments/{id}")
def cancel(request: Request) -> Answer:
    """Stop a task."""
    named = fields.read(NamedIncrement, request.fields())
    return Answer(IncrementRecord.of(cancel_increment(deployment, named)), status=202)


@handler.route("POST /v1/instances/{instance}/increments/{id}/resume")
def resume(request: Request) -> Answer:
    """Go on with a task that was cancelled or has failed."""
    named = fields.read(NamedIncrement, request.fields())
    return Answer(IncrementRecord.of(resume_increment(deployment, named)), status=202)
