"""What an operation of the contract has at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagesearch.contract.dispatch import Call
from imagesearch.contract.fields import Fields
from imagesearch.contract.generation import Generation
from imagesearch.contract.keys import AccessKey
from imagesearch.contract.pictures import Sent, check, receive
from imagesearch.limits import Kind
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.receive_upload import discard_upload
from imagesearch.operations.workshop import Buckets

__all__ = ["Caller", "Operation"]


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated call, and the means to answer it.

    ``buckets`` opens the buckets that batch tasks read, in a way of its own if it is given.
    """

    deployment: Deployment
    key: AccessKey
    call: Call
    host: str
    region: str
    now: float
    buckets: Buckets | None = None
    uploads: list[str] = field(default_factory=list)

    @property
    def fields(self) -> Fields:
        """Return the parameters."""
        return self.call.fields

    @property
    def generation(self) -> Generation:
        """Return the API version."""
        return self.call.generation

    def picture(self, parameter: str = "PicContent", *, name: str = "image") -> bytes:
        """Return the picture of a parameter, within the vendor's limits."""
        return self.checked(
            receive(self.deployment, self.key, self.fields.get(parameter), name=name), name
        )

    def checked(self, sent: Sent, name: str = "image") -> bytes:
        """Return a picture if the vendor would take it for this instance."""
        instance = self.deployment.instances.get(self.fields.instance)
        check(sent.image, instance.service, name)
        if sent.upload_id:
            self.uploads.append(sent.upload_id)
        return sent.image

    def spend_uploads(self) -> None:
        """Forget the uploads that this call used: each serves once."""
        for upload_id in self.uploads:
            discard_upload(self.deployment, upload_id)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: what it does, and whether a key that only reads may call it.

    ``spends`` names which of the key's rates a call counts against.
    """

    answer: Callable[[Caller], Mapping[str, Any]]
    writes: bool = False
    instance: bool = True
    spends: Kind | None = None
