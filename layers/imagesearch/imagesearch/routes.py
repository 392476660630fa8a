"""Every route of the clean API, with the types of what it is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from imagesearch.operations import answers, overview_answers, search_answers
from imagesearch.operations.add import AddPicture
from imagesearch.operations.combined import CombinedSearch
from imagesearch.operations.compare import Compare
from imagesearch.operations.delete import DeletePicture, DeleteProduct, DeleteSelected
from imagesearch.operations.duplicates import FindDuplicates
from imagesearch.operations.explain import Explain
from imagesearch.operations.facets import CountPictures
from imagesearch.operations.increment_record import (
    CheckAnswer,
    IncrementRecord,
    IncrementsAnswer,
)
from imagesearch.operations.increments import ListIncrements, NamedIncrement, SubmitIncrement
from imagesearch.operations.instances import CreateInstance, DeleteInstance, NamedInstance
from imagesearch.operations.pictures import ListPictures, ShowPicture
from imagesearch.operations.search import Search
from imagesearch.operations.search_text import SearchText
from imagesearch.operations.several import SearchSubjects
from imagesearch.operations.thumbnails import ShowThumbnail
from imagesearch.operations.update import UpdatePicture
from imagesearch.operations.uploads import BeginUpload

__all__ = ["ROUTES", "Route"]


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``raw`` tells that the body may also be a picture itself.

    ``also`` are further statuses with the same answer. Without an ``answer`` it answers a file
    of the media type ``kind``. ``variants`` are other requests, with their answers, that the
    same route takes; each is a JSON object with a field that no other has.
    """

    key: str
    name: str
    summary: str
    request: type[msgspec.Struct] | None
    answer: type[msgspec.Struct] | None
    status: int = 200
    raw: bool = False
    also: tuple[int, ...] = ()
    kind: str = "application/json"
    variants: tuple[tuple[type[msgspec.Struct], type[msgspec.Struct]], ...] = ()

    @property
    def method(self) -> str:
        """Return the HTTP method in lower case, as OpenAPI has it."""
        return self.key.partition(" ")[0].lower()

    @property
    def path(self) -> str:
        """Return the path with its parameters in braces."""
        return self.key.partition(" ")[2]


_INSTANCES = "/v1/instances"
_INSTANCE = f"{_INSTANCES}/{{instance}}"
_PICTURES = f"{_INSTANCE}/pictures"
_INCREMENTS = f"{_INSTANCE}/increments"
_PICTURE = f"{_PICTURES}/{{product_id}}/{{pic_name}}"

ROUTES = (
    Route(
        f"GET {_INSTANCES}", "listInstances", "List every instance", None, answers.InstancesAnswer
    ),
    Route(
        f"PUT {_INSTANCE}",
        "createInstance",
        "Create an instance, or find the same one",
        CreateInstance,
        answers.InstanceRecord,
        status=201,
        also=(200,),
    ),
    Route(
        f"GET {_INSTANCE}",
        "showInstance",
        "Show one instance",
        NamedInstance,
        answers.InstanceRecord,
    ),
    Route(
        f"DELETE {_INSTANCE}",
        "deleteInstance",
        "Erase an instance with everything in it",
        DeleteInstance,
        answers.ErasedAnswer,
        status=202,
    ),
    Route(
        f"POST {_PICTURES}",
        "addPicture",
        "Add a picture",
        AddPicture,
        answers.AddedAnswer,
        status=201,
        raw=True,
        also=(200,),
    ),
    Route(
        f"GET {_PICTURES}",
        "listPictures",
        "List pictures, page by page",
        ListPictures,
        answers.PageAnswer,
    ),
    Route(
        f"DELETE {_PICTURES}",
        "deletePictures",
        "Delete the pictures that a filter selects, or that are named",
        DeleteSelected,
        answers.DeletedAnswer,
    ),
    Route(
        f"DELETE {_PICTURES}/{{product_id}}",
        "deleteProduct",
        "Delete every picture of a product",
        DeleteProduct,
        answers.DeletedAnswer,
    ),
    Route(f"GET {_PICTURE}", "showPicture", "Show one picture", ShowPicture, answers.PictureRecord),
    Route(
        f"PATCH {_PICTURE}",
        "updatePicture",
        "Change what is attached to a picture",
        UpdatePicture,
        answers.UpdatedAnswer,
    ),
    Route(
        f"DELETE {_PICTURE}",
        "deletePicture",
        "Delete one picture",
        DeletePicture,
        answers.DeletedAnswer,
    ),
    Route(
        f"GET {_INSTANCE}/thumbnails/{{thumbnail}}",
        "showThumbnail",
        "Show a small copy of a picture",
        ShowThumbnail,
        None,
        kind="image/jpeg",
    ),
    Route(
        f"POST {_INSTANCE}/search",
        "searchPictures",
        "Find the pictures that look most like one",
        Search,
        answers.FoundAnswer,
        raw=True,
        variants=(
            (CombinedSearch, search_answers.CombinedAnswer),
            (SearchSubjects, search_answers.SubjectsAnswer),
            (SearchText, search_answers.WordedAnswer),
        ),
    ),
    Route(
        f"GET {_INSTANCE}/facets",
        "countPictures",
        "Count pictures by category and attributes",
        CountPictures,
        overview_answers.CountsAnswer,
    ),
    Route(
        f"GET {_INSTANCE}/duplicates",
        "findDuplicates",
        "Tell which of a page of pictures have duplicates",
        FindDuplicates,
        overview_answers.DuplicatesAnswer,
    ),
    Route(
        f"POST {_INSTANCE}/compare",
        "comparePictures",
        "Tell how alike two pictures look",
        Compare,
        answers.ComparedAnswer,
    ),
    Route(
        f"POST {_INSTANCE}/explain",
        "explainHit",
        "Tell which parts of two pictures make them alike",
        Explain,
        search_answers.ExplainedAnswer,
        raw=True,
    ),
    Route(
        "POST /v1/uploads",
        "beginUpload",
        "Begin the upload of a large picture",
        BeginUpload,
        answers.UploadAnswer,
        status=201,
    ),
    Route(
        f"POST {_INCREMENTS}",
        "submitIncrement",
        "Queue a batch task",
        SubmitIncrement,
        IncrementRecord,
        status=202,
    ),
    Route(
        f"POST {_INCREMENTS}/check",
        "checkIncrement",
        "Tell what keeps a batch task from being carried out",
        SubmitIncrement,
        CheckAnswer,
    ),
    Route(f"GET {_INCREMENTS}", "listIncrements", "List tasks", ListIncrements, IncrementsAnswer),
    Route(
        f"GET {_INCREMENTS}/{{id}}",
        "showIncrement",
        "Show how far a task is",
        NamedIncrement,
        IncrementRecord,
    ),
    Route(
        f"DELETE {_INCREMENTS}/{{id}}",
        "cancelIncrement",
        "Stop a task",
        NamedIncrement,
        IncrementRecord,
        status=202,
    ),
    Route(
        f"POST {_INCREMENTS}/{{id}}/resume",
        "resumeIncrement",
        "Go on with a task that was cancelled or has failed",
        NamedIncrement,
        IncrementRecord,
        status=202,
    ),
    Route("GET /health/live", "live", "Tell that functions run", None, answers.HealthAnswer),
    Route(
        "GET /health/ready",
        "ready",
        "Tell that store and models are there",
        None,
        answers.HealthAnswer,
    ),
)
"""Every route of the clean API that the document describes."""
