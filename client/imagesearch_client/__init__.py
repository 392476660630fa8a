"""A client of Serverless Image Search: typed, blocking or awaited, with one exception per error.

::

    from pathlib import Path

    from imagesearch_client import Client

    with Client("http://127.0.0.1:3000") as client:
        client.create_instance("shop")
        client.add("shop", Path("shoe.jpg"), "shoe", "front", int_attr=5)
        for hit in client.search("shop", Path("photo.jpg"), num=3).hits:
            print(hit.product_id, hit.score)
"""

from imagesearch_client import answers, errors, refusals
from imagesearch_client._async import AsyncClient
from imagesearch_client._async_calls import DEFAULT_URL
from imagesearch_client._blocking import Client
from imagesearch_client._version import __version__
from imagesearch_client.errors import (
    Forbidden,
    ImageSearchError,
    Refused,
    Unauthorized,
    Unreachable,
)
from imagesearch_client.importing import Failure, Summary
from imagesearch_client.journal import Journal
from imagesearch_client.part import Part
from imagesearch_client.refusals import TooManyRequests
from imagesearch_client.retries import Retries
from imagesearch_client.sigv4 import AwsSignature, Credentials, NoCredentials
from imagesearch_client.sources import Item, Listing, UnusableSource, read_source

__all__ = [
    "DEFAULT_URL",
    "AsyncClient",
    "AwsSignature",
    "Client",
    "Credentials",
    "Failure",
    "Forbidden",
    "ImageSearchError",
    "Item",
    "Journal",
    "Listing",
    "NoCredentials",
    "Part",
    "Refused",
    "Retries",
    "Summary",
    "TooManyRequests",
    "Unauthorized",
    "Unreachable",
    "UnusableSource",
    "__version__",
    "answers",
    "errors",
    "read_source",
    "refusals",
]
